/* SPDX-License-Identifier: GPL-3.0-or-later */
/* oracle_transition.c - the exact p(z_t | z_{t-1}) of generated data, one step from the true state.
 * Labels are part of the state, so they are conditioned on, and drawn, but not handed out. */
#include "infer/oracle_transition.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double *state_at(const struct ssk_data *data, enum ssk_split split, int64_t series,
                              int t) {
  return data->split[split].z + (series * data->split[split].room + t) * data->shape.latent;
}

void ssk_true_latents(const struct ssk_data *data, enum ssk_split split, int64_t series, int t,
                      double *z) {
  memcpy(z, state_at(data, split, series, t), (size_t)data->latents * sizeof *z);
}

int ssk_oracle_draw(const struct ssk_data *data, enum ssk_split split, int64_t series, int t,
                    int draws, ssk_rng rng, double *z, ssk_err *err) {
  const struct ssk_oracle *oracle = data->oracle;
  const double *from = state_at(data, split, series, t - 1);
  double *state = malloc((size_t)oracle->d * sizeof *state);
  if (!state)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for a state");
  for (int i = 0; i < draws; i++) {
    oracle->transition(data->dataset->self, &rng, from, state);
    memcpy(z + (size_t)i * (size_t)data->latents, state, (size_t)data->latents * sizeof *z);
  }
  free(state);
  return SSK_OK;
}

double ssk_oracle_log_prob(const struct ssk_data *data, enum ssk_split split, int64_t series,
                           int t) {
  const struct ssk_oracle *oracle = data->oracle;
  return oracle->transition_log_prob
             ? oracle->transition_log_prob(data->dataset->self,
                                           state_at(data, split, series, t - 1),
                                           state_at(data, split, series, t))
             : NAN;
}
