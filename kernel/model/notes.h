/* SPDX-License-Identifier: GPL-3.0-or-later */
/* notes.h - what a pass saw, drew and obtained, for comparison with other implementations: copies
 * of tensors under names. */
#ifndef SSK_MODEL_NOTES_H
#define SSK_MODEL_NOTES_H

#include <sskit/tape.h>

struct ssk_note {
  char *name;
  int ndim, shape[SSK_MAX_DIMS];
  size_t count;
  ssk_real *values;
};

/* Begins as zeros. */
struct ssk_notes {
  struct ssk_note *note;
  int n;
  bool failed; /* for want of memory: something is missing */
};

/* Copy the values under the formatted name. */
void ssk_notes_add(struct ssk_notes *notes, const ssk_tensor *values, const char *format, ...)
    SSK_PRINTF(3, 4);
void ssk_notes_free(struct ssk_notes *notes);

#endif
