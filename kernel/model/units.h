/* SPDX-License-Identifier: GPL-3.0-or-later */
/* units.h - what a trained model knows of the data it was trained on: their sizes and their units.
 * Kept with the weights, so that a model can be used where the data are not. */
#ifndef SSK_MODEL_UNITS_H
#define SSK_MODEL_UNITS_H

#include "model/data.h"

/* malloc'ed JSON text; NULL without memory. Numbers are read back as they were. */
char *ssk_units_write(const struct ssk_data *data);
/* A data set without series, with the sizes and units that ssk_units_write wrote; free with
 * ssk_data_free. SSK_EDATA, naming the file `path`, when the text is damaged. */
int ssk_units_read(const char *path, const char *text, const struct ssk_experiment *experiment,
                   struct ssk_data **out, ssk_err *err);
/* The same units for a data set that was read again: what a model was trained on may have changed
 * since. Where the sizes are others, nothing is taken: the model will not fit. */
int ssk_units_take(const char *path, const char *text, struct ssk_data *data, ssk_err *err);

#endif
