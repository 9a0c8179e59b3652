/* SPDX-License-Identifier: GPL-3.0-or-later */
/* series_names.h - what the series of a split are called in their data set. */
#ifndef SSK_MODEL_SERIES_NAMES_H
#define SSK_MODEL_SERIES_NAMES_H

#include "model/data.h"

/* n is 0 where the data set has no names for its series, but numbers alone. */
struct ssk_series_names {
  int64_t n;
  char **text; /* [n] no two are alike */
};
/* The names of the series of a split. Where it has several parts of one series, as windows of a
 * test set are, they are NAME@STEP: the number of their first step in that series. SSK_ENOMEM. */
int ssk_series_names_read(const struct ssk_data *data, enum ssk_split split,
                          struct ssk_series_names *out, ssk_err *err);
void ssk_series_names_free(struct ssk_series_names *names);

/* Whether a reader gave names to the series of a data set of files (files.c). */
bool ssk_files_name_series(const void *self);

#endif
