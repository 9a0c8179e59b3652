/* SPDX-License-Identifier: GPL-3.0-or-later */
/* evaluate_bound.h - the bound of a trained model on series, in the data's own units. */
#ifndef SSK_MODEL_EVALUATE_BOUND_H
#define SSK_MODEL_EVALUATE_BOUND_H

#include "core/pool.h"
#include "model/model.h"

/* What the parts sum to: "bound", or "path_loss" where the transition is a prior of whole paths,
 * which has no bound; then it is what such a model is trained by. So logs name it. */
bool ssk_gives_path_loss(const struct ssk_experiment *experiment);
const char *ssk_measure_name(bool path_loss);
/* "nats ", or "": the loss has no unit. */
const char *ssk_measure_unit(bool path_loss);

/* Negative bound of one series, in nats of the data's own units, summed over its steps, averaged
 * over the Monte Carlo paths. */
struct ssk_bound_value {
  int steps;
  double distortion, initial, transition;
};

/* The bound of series [first, first+n) of a split over at most `length` leading steps (0: all),
 * each with `paths` Monte Carlo paths. The result depends on the arguments only. values: [n]. */
int ssk_pass_bound(struct ssk_pass *pass, const struct ssk_data *data, enum ssk_split split,
                   int64_t first, int n, int length, int paths, uint64_t seed,
                   struct ssk_bound_value *values, ssk_err *err);

/* Means over series; `se` is the standard error of `total`. */
struct ssk_bound_summary {
  int64_t series;
  double steps;
  double distortion, initial, transition, total, se;
};

/* The same over the first max_series series of a split (0: all), on a pool. `values`: the weights.
 */
int ssk_model_evaluate_bound(const struct ssk_model *model, const struct ssk_data *data,
                             ssk_real *values, enum ssk_split split, int64_t max_series, int length,
                             int paths, uint64_t seed, struct ssk_pool *pool,
                             struct ssk_bound_summary *out, ssk_err *err);

#endif
