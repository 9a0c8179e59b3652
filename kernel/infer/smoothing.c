/* SPDX-License-Identifier: GPL-3.0-or-later */
/* smoothing.c - see smoothing.h. The yardstick is the observation without its noise: the latents of
 * two models are the same only up to a map that the data cannot tell. */
#include "infer/smoothing.h"
#include "infer/dense.h"
#include "infer/kalman.h"
#include <stdlib.h>

int ssk_smoothing_open(struct ssk_smoothing_work *work, const struct ssk_data *data, int samples,
                       ssk_err *err) {
  const size_t entries = (size_t)data->shape.max_length * (size_t)data->shape.D;
  *work = (struct ssk_smoothing_work){.paths = malloc((size_t)samples * entries * sizeof(double)),
                                      .mean = malloc(entries * sizeof(double)),
                                      .signal = malloc(entries * sizeof(double)),
                                      .exact = malloc(entries * sizeof(double))};
  return work->paths && work->mean && work->signal && work->exact
             ? SSK_OK
             : ssk_err_set(err, SSK_ENOMEM, "no memory for smoothed paths");
}

void ssk_smoothing_free(struct ssk_smoothing_work *work) {
  free(work->paths);
  free(work->mean);
  free(work->signal);
  free(work->exact);
  *work = (struct ssk_smoothing_work){0};
}

/* The exact posterior mean of C z. */
static int smooth_exactly(const struct ssk_linear_gaussian *linear, int T, const double *x,
                          const double *mask, double *mean, ssk_err *err) {
  struct ssk_kalman states;
  int code = ssk_kalman_filter(linear, T, x, mask, &states, err);
  if (!code)
    code = ssk_kalman_smooth(linear, &states, err);
  for (int t = 0; t < T && !code; t++)
    ssk_dense_product(linear->D, linear->d, 1, linear->C, states.smoothed_mean + t * linear->d,
                      mean + t * linear->D);
  ssk_kalman_free(&states);
  return code;
}

/* What is known of a series whose process is. */
static int ask_oracle(const struct ssk_data *data, const double *z, struct ssk_smoothing_work *work,
                      struct ssk_smoothing *out, ssk_err *err) {
  const struct ssk_oracle *oracle = data->oracle;
  const void *self = data->dataset->self;
  const int T = out->length, D = data->shape.D, d = oracle->d;
  struct ssk_linear_gaussian linear;
  int code = SSK_OK;
  if (oracle->linear) {
    oracle->linear(self, &linear);
    code = smooth_exactly(&linear, T, out->x, out->observed, work->exact, err);
    out->exact = work->exact;
  }
  if (z && (oracle->emission_mean || oracle->linear)) {
    for (int t = 0; t < T; t++)
      if (oracle->emission_mean)
        oracle->emission_mean(self, z + t * d, work->signal + t * D);
      else
        ssk_dense_product(D, d, 1, linear.C, z + t * d, work->signal + t * D);
    out->signal = work->signal;
  }
  return code;
}

int ssk_smoothing_of(const struct ssk_forecaster *forecaster, const struct ssk_data *data,
                     enum ssk_split split, int64_t series, int samples, uint64_t seed, int thread,
                     struct ssk_smoothing_work *work, struct ssk_smoothing *out, ssk_err *err) {
  const struct ssk_split_data *s = &data->split[split];
  const int64_t row = series * s->room, entry = row * data->shape.D;
  *out = (struct ssk_smoothing){.size = sizeof *out,
                                .length = s->length[series],
                                .x = s->x + entry,
                                .observed = s->mask + entry,
                                .hidden = s->hidden ? s->hidden + entry : NULL,
                                .paths = work->paths,
                                .mean = work->mean};
  const struct ssk_series_posterior posterior = {.x = work->paths, .mean = work->mean};
  int code = forecaster->posterior(forecaster->self, data, split, series, samples, seed, thread,
                                   &posterior, err);
  if (!code && data->oracle)
    code = ask_oracle(data, s->z ? s->z + row * data->shape.latent : NULL, work, out, err);
  return code;
}
