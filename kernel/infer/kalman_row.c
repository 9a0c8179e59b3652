/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kalman_row.c - the baseline kalman_em.
 *
 * The training series are cut into pieces of the training windows' length, as models see them: the
 * first state is then that of a window, wherever in time it begins. The model is fitted in
 * standardised units, also where other rows are not, and has no mean; as a process in the data's
 * own units its state has one more entry, which is always 1 and carries the mean: still linear and
 * Gaussian, so that filter, smoother and forecast are those of a known process (oracle_forecast.c).
 */
#include "infer/kalman_row.h"
#include "infer/dense.h"
#include "infer/kalman_em.h"
#include "infer/oracle_forecast.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A state has one entry more than there are latents. */
enum { MAX_STATE = SSK_MAX_KALMAN_LATENT + 1, DEFAULT_LEAST = 4, DEFAULT_MOST = 8 };
#define TOLERANCE 1e-4 /* nats an entry that an iteration must bring */

/* The training series, standardised. */
struct pieces {
  int n;
  struct ssk_kalman_series *series;
  double *x;
  double *centre, *scale; /* [D] */
};

/* ---- the fitted process ---------------------------------------------------------------------- */

struct process {
  struct ssk_kalman_fit fit; /* in the data's own units, the last of its states is 1 */
  double *factor;            /* [d, d] of Q */
};

static void process_free(void *self) {
  struct process *p = self;
  ssk_kalman_fit_free(&p->fit);
  free(p->factor);
  free(p);
}

static void process_transition(const void *self, ssk_rng *rng, const double *z_prev, double *z) {
  const struct process *p = self;
  const int d = p->fit.d;
  double normal[MAX_STATE];
  for (int i = 0; i < d; i++)
    normal[i] = ssk_rng_normal(rng);
  for (int i = 0; i < d; i++) {
    z[i] = 0;
    for (int k = 0; k < d; k++)
      z[i] += p->fit.A[i * d + k] * z_prev[k] + p->factor[i * d + k] * normal[k];
  }
}

static void process_emission(const void *self, ssk_rng *rng, const double *z, double *x) {
  const struct process *p = self;
  const int d = p->fit.d, D = p->fit.D;
  for (int i = 0; i < D; i++) {
    x[i] = sqrt(p->fit.R[i * D + i]) * ssk_rng_normal(rng);
    for (int k = 0; k < d; k++)
      x[i] += p->fit.C[i * d + k] * z[k];
  }
}

static void process_linear(const void *self, struct ssk_linear_gaussian *out) {
  *out = ((const struct process *)self)->fit.model;
}

static int fill_process(const struct pieces *units, const struct ssk_kalman_fit *from,
                        struct process *p, ssk_err *err) {
  const int d = from->d, D = from->D, n = d + 1;
  int code = ssk_kalman_fit_init(&p->fit, n, D, err);
  double *copy = malloc((size_t)(n * n) * sizeof *copy);
  int *pivot = malloc((size_t)n * sizeof *pivot);
  p->factor = malloc((size_t)(n * n) * sizeof *p->factor);
  if (!code && !(copy && pivot && p->factor))
    code = ssk_err_set(err, SSK_ENOMEM, "no memory for a linear model");
  for (int i = 0; i < d && !code; i++) {
    p->fit.m0[i] = from->m0[i];
    for (int k = 0; k < d; k++) {
      p->fit.P0[i * n + k] = from->P0[i * d + k];
      p->fit.A[i * n + k] = from->A[i * d + k];
      p->fit.Q[i * n + k] = from->Q[i * d + k];
    }
  }
  for (int i = 0; i < D && !code; i++) {
    const double scale = units->scale[i];
    for (int k = 0; k < d; k++)
      p->fit.C[i * n + k] = scale * from->C[i * d + k];
    p->fit.C[i * n + d] = units->centre[i];
    p->fit.R[i * D + i] = scale * scale * from->R[i * D + i];
  }
  if (!code) {
    p->fit.m0[d] = p->fit.A[d * n + d] = 1;
    memcpy(copy, p->fit.Q, (size_t)(n * n) * sizeof *copy);
    ssk_dense_semidefinite(n, copy, p->factor, pivot);
  }
  free(copy);
  free(pivot);
  return code;
}

static int process_of(const struct pieces *units, const struct ssk_kalman_fit *from,
                      struct process **out, ssk_err *err) {
  struct process *p = calloc(1, sizeof *p);
  if (!p)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for a linear model");
  int code = fill_process(units, from, p, err);
  if (code) {
    process_free(p);
    p = NULL;
  }
  *out = p;
  return code;
}

/* ---- the training series --------------------------------------------------------------------- */

static void pieces_free(struct pieces *pieces) {
  free(pieces->series);
  free(pieces->x);
  free(pieces->centre);
}

static int cut(const struct ssk_data *data, struct pieces *out, ssk_err *err) {
  const struct ssk_split_data *train = &data->split[SSK_TRAIN];
  const int D = data->shape.D, length = data->window_length;
  const size_t entries = (size_t)(train->n * train->room) * (size_t)D;
  size_t most = 0;
  for (int64_t i = 0; i < train->n; i++)
    most += (size_t)(train->length[i] / length + 1);
  *out = (struct pieces){.series = malloc(most * sizeof *out->series),
                         .x = malloc(entries * sizeof *out->x),
                         .centre = malloc(2 * (size_t)D * sizeof *out->centre)};
  if (!out->series || !out->x || !out->centre) {
    pieces_free(out);
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the training series");
  }
  out->scale = out->centre + D;
  for (int k = 0; k < D; k++)
    ssk_data_units(data, k, &out->centre[k], &out->scale[k]);
  for (size_t e = 0; e < entries; e++)
    out->x[e] = (train->x[e] - out->centre[e % (size_t)D]) / out->scale[e % (size_t)D];
  for (int64_t i = 0; i < train->n; i++)
    for (int from = 0; from < train->length[i]; from += length) {
      const int left = train->length[i] - from;
      const int64_t offset = (i * train->room + from) * D;
      out->series[out->n++] = (struct ssk_kalman_series){
          .T = left < length ? left : length, .x = out->x + offset, .mask = train->mask + offset};
    }
  return SSK_OK;
}

/* ---- the row --------------------------------------------------------------------------------- */

static int latent_size(const struct pieces *pieces, int D, const struct ssk_evaluate_section *how) {
  int wanted = (int)how->kalman_latent;
  if (!wanted)
    wanted = D < DEFAULT_LEAST ? DEFAULT_LEAST : D < DEFAULT_MOST ? D : DEFAULT_MOST;
  return ssk_kalman_realisable(pieces->n, pieces->series, D, wanted);
}

static int fit_pieces(const struct pieces *pieces, int iterations, struct ssk_kalman_fit *fit,
                      ssk_err *err) {
  double *log_likelihood = malloc(((size_t)iterations + 1) * sizeof *log_likelihood);
  int done;
  if (!log_likelihood)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the EM algorithm");
  int code = ssk_kalman_realise(pieces->n, pieces->series, fit, err);
  if (!code)
    code = ssk_kalman_em(pieces->n, pieces->series, fit, iterations, TOLERANCE, log_likelihood,
                         &done, err);
  free(log_likelihood);
  return code;
}

int ssk_kalman_row(const char *name, const struct ssk_data *data,
                   const struct ssk_evaluate_section *how, struct ssk_forecaster *out,
                   ssk_err *err) {
  static const struct ssk_oracle oracle = {.size = sizeof oracle,
                                           .transition = process_transition,
                                           .emission = process_emission,
                                           .linear = process_linear};
  *out = (struct ssk_forecaster){0};
  struct pieces pieces;
  int code = cut(data, &pieces, err);
  if (code)
    return code;
  struct ssk_kalman_fit fit = {0};
  struct process *process = NULL;
  const int d = latent_size(&pieces, data->shape.D, how);
  if (d < 1)
    code = ssk_err_set(err, SSK_EDATA, "%s needs training series of at least four steps", name);
  if (!code)
    code = ssk_kalman_fit_init(&fit, d, data->shape.D, err);
  if (!code)
    code = fit_pieces(&pieces, (int)how->kalman_iterations, &fit, err);
  if (!code)
    code = process_of(&pieces, &fit, &process, err);
  ssk_kalman_fit_free(&fit);
  pieces_free(&pieces);
  if (!code)
    return ssk_linear_forecaster(name, &oracle, process, process_free, out, err);
  return code;
}
