/* SPDX-License-Identifier: GPL-3.0-or-later */
/* held_out.c - entries that are hidden from the model, of any data set: missing completely at
 * random (Rubin 1976), each observed entry by itself. Their true values stay, for the metrics of
 * imputation.
 *
 * An entry has a number between 0 and 1 of its own, named by the seed, the split, the series, the
 * step and the dimension, and is hidden where that is below the fraction. So a larger fraction
 * hides the same entries and more, and what is hidden depends neither on the other entries nor on
 * what they are. */
#include "core/hash.h"
#include "model/data.h"
#include <stdlib.h>

/* Hide entries of one series: mask and hidden [length, D]. */
static void hide(const struct ssk_missing_section *missing, enum ssk_split which, int64_t series,
                 int entries, double *mask, double *hidden) {
  ssk_rng rng =
      ssk_rng_open((uint64_t)missing->seed, "data.missing", "entries", which, (uint32_t)series);
  for (int k = 0; k < entries; k++)
    if (ssk_rng_uniform(&rng) < missing->fraction && mask[k] != 0) {
      mask[k] = 0;
      hidden[k] = 1;
    }
}

static int hold_out_of(struct ssk_data *data, const struct ssk_missing_section *missing,
                       enum ssk_split which, ssk_err *err) {
  struct ssk_split_data *split = &data->split[which];
  const int64_t D = data->shape.D, row = split->room * D;
  if (!split->n || split->hidden)
    return SSK_OK;
  split->hidden = calloc((size_t)(split->n * row), sizeof *split->hidden);
  if (!split->hidden)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the entries that are held out");
  for (int64_t i = 0; i < split->n; i++)
    hide(missing, which, i, split->length[i] * (int)D, split->mask + i * row,
         split->hidden + i * row);
  return SSK_OK;
}

/* A dimension that was seen in training must still be: else nothing is known of its scale. */
static int check_rest(const struct ssk_data *data, ssk_err *err) {
  const struct ssk_split_data *train = &data->split[SSK_TRAIN];
  const int D = data->shape.D;
  const int64_t rows = train->n * train->room;
  for (int k = 0; k < D; k++) {
    bool seen = false, hidden = false;
    for (int64_t r = 0; r < rows; r++) {
      seen = seen || train->mask[r * D + k] != 0;
      hidden = hidden || train->hidden[r * D + k] != 0;
    }
    if (hidden && !seen) {
      ssk_err_set(err, SSK_EDATA, "missing.fraction hides all training entries of dimension %d", k);
      ssk_err_hint(err, "hide fewer, or give more training series");
      return SSK_EDATA;
    }
  }
  return SSK_OK;
}

int ssk_data_hold_out(struct ssk_data *data, const struct ssk_missing_section *missing,
                      ssk_err *err) {
  int code = SSK_OK;
  if (!(missing->fraction > 0))
    return SSK_OK;
  for (int i = 0; i < missing->splits.n && !code; i++)
    code =
        hold_out_of(data, missing, (enum ssk_split)ssk_split_named(missing->splits.items[i]), err);
  for (int s = 0; s < SSK_SPLIT_COUNT && !code; s++)
    if (data->split[s].hidden)
      data->fingerprint = ssk_hash(data->fingerprint, data->split[s].hidden,
                                   (size_t)data->split[s].n * (size_t)data->split[s].room *
                                       (size_t)data->shape.D * sizeof(double));
  return code || !data->split[SSK_TRAIN].hidden ? code : check_rest(data, err);
}
