/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/notes.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool copy(struct ssk_note *note, const ssk_tensor *values, const char *name) {
  *note = (struct ssk_note){.name = strdup(name),
                            .ndim = values->ndim,
                            .count = values->count,
                            .values = malloc((values->count + 1) * sizeof *note->values)};
  if (!note->name || !note->values)
    return false;
  memcpy(note->shape, values->shape, sizeof note->shape);
  memcpy(note->values, values->data, values->count * sizeof *note->values);
  return true;
}

void ssk_notes_add(struct ssk_notes *notes, const ssk_tensor *values, const char *format, ...) {
  char name[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(name, sizeof name, format, arguments);
  va_end(arguments);
  struct ssk_note *grown = realloc(notes->note, ((size_t)notes->n + 1) * sizeof *grown);
  if (!grown) {
    notes->failed = true;
    return;
  }
  notes->note = grown;
  if (!copy(&grown[notes->n++], values, name))
    notes->failed = true;
}

void ssk_notes_free(struct ssk_notes *notes) {
  for (int i = 0; i < notes->n; i++) {
    free(notes->note[i].name);
    free(notes->note[i].values);
  }
  free(notes->note);
  *notes = (struct ssk_notes){0};
}
