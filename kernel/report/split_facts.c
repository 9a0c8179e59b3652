/* SPDX-License-Identifier: GPL-3.0-or-later */
/* split_facts.c - counting. */
#include "report/split_facts.h"
#include <math.h>

struct ssk_split_facts ssk_split_facts(const struct ssk_data *data, enum ssk_split which) {
  const struct ssk_split_data *split = &data->split[which];
  const int64_t L = split->room, D = data->shape.D;
  struct ssk_split_facts f = {.series = split->n};
  int64_t missing = 0;
  for (int64_t i = 0; i < split->n; i++) {
    int length = split->length[i];
    f.steps += length;
    f.shortest = i == 0 || length < f.shortest ? length : f.shortest;
    f.longest = length > f.longest ? length : f.longest;
    for (int64_t k = i * L * D; k < (i * L + length) * D; k++)
      missing += split->mask[k] == 0;
  }
  f.missing_share = f.steps ? (double)missing / (double)(f.steps * D) : 0;
  return f;
}

struct ssk_dimension_facts ssk_dimension_facts(const struct ssk_data *data, int dimension) {
  const struct ssk_split_data *train = &data->split[SSK_TRAIN];
  const int64_t L = train->room, D = data->shape.D;
  struct ssk_dimension_facts f = {.lowest = NAN, .highest = NAN};
  double n = 0, sum = 0, squares = 0, all = 0;
  for (int pass = 0; pass < 2; pass++) /* the squares about the mean */
    for (int64_t i = 0; i < train->n; i++)
      for (int64_t t = 0; t < train->length[i]; t++) {
        int64_t at = (i * L + t) * D + dimension;
        if (pass == 0)
          all++;
        if (train->mask[at] == 0)
          continue;
        if (pass == 0) {
          n++, sum += train->x[at];
          f.lowest = fmin(f.lowest, train->x[at]); /* of NaN and a number: the number */
          f.highest = fmax(f.highest, train->x[at]);
        } else {
          squares += (train->x[at] - sum / n) * (train->x[at] - sum / n);
        }
      }
  f.mean = n > 0 ? sum / n : NAN;
  f.deviation = n > 0 ? sqrt(squares / n) : NAN;
  f.missing_share = all > 0 ? 1 - n / all : 0;
  return f;
}
