/* SPDX-License-Identifier: GPL-3.0-or-later */
/* model_state.h - what a forecaster over a trained model consists of: inside of model_*.c. */
#ifndef SSK_INFER_MODEL_STATE_H
#define SSK_INFER_MODEL_STATE_H

#include "infer/forecaster.h"
#include "model/segments.h"

struct ssk_model_state {
  const struct ssk_model *model;
  const struct ssk_evaluate_section *how;
  int threads;
  struct ssk_pass *passes; /* one a thread */
};

/* Begin a pass over T steps of one series, with random numbers of this purpose. */
void ssk_model_begin(struct ssk_pass *pass, int T, int paths, uint64_t seed, const char *purpose,
                     enum ssk_split split, int64_t series);

/* Draw paths of a series, of a model whose transition is a prior of whole paths (model_path.c):
 * z[samples, length, d] in the model's units (NULL: not wanted) and x[samples, length - from, D] in
 * the data's own, of the steps from `from` on. Known are the first `known` steps, where they are
 * observed; observations are drawn anew also of those. */
int ssk_model_complete(struct ssk_pass *pass, const struct ssk_data *data, enum ssk_split split,
                       int64_t series, int known, int from, int length, int samples, uint64_t seed,
                       const char *purpose, double *z, double *x, ssk_err *err);

/* SSK_ENUMERIC, in the words of `what`, where a number is not finite. */
int ssk_model_check_finite(const double *x, size_t n, const char *what, ssk_err *err);

/* The slot `posterior` of a struct ssk_forecaster: model_posterior.c. */
int ssk_model_posterior(void *self, const struct ssk_data *data, enum ssk_split split,
                        int64_t series, int samples, uint64_t seed, int thread,
                        const struct ssk_series_posterior *out, ssk_err *err);

#endif
