/* SPDX-License-Identifier: GPL-3.0-or-later */
/* diffusion_noising.h - drawing levels and noise for a training step, and tabulating the factors of
 * the levels drawn. In discrete time these are the K levels. In continuous time the level k >= 2
 * stands for the cell between it and the level below, in which log sigma is uniform, and the lowest
 * for the last step (diffusion_bound.h): so one proposal serves both. Where sigma_data is of the
 * step, the proposal is still that of all steps together: any is without bias. */
#ifndef DIFFUSION_NOISING_H
#define DIFFUSION_NOISING_H

#include "diffusion_ops.h"
#include "diffusion_state.h"

static inline bool in_continuous_time(const struct diffusion *self) {
  return self->objective != OBJECTIVE_DISCRETE;
}

/* The noise of level k, or at the place `within` (0...1) of its cell. */
static inline double level_sigma(const struct diffusion *self, int k, double within) {
  if (k == 0 || !in_continuous_time(self))
    return self->sigma[k];
  return self->sigma[k - 1] * pow(self->sigma[k] / self->sigma[k - 1], within);
}

/* Weight of the squared error at noise sigma of level k or its cell. */
static inline double level_weight(const struct diffusion *self, int k, double sigma,
                                  double sigma_data) {
  double below = k ? self->sigma[k - 1] : 0;
  if (k > 0 && in_continuous_time(self))
    return log(self->sigma[k] / below) * score_weight(sigma, sigma_data);
  return bound_weight((enum reverse_variance)self->variance, sigma, below) *
         bound_weight_factor(sigma, sigma_data);
}

/* Entry i of the tables. */
static inline void tabulate(struct noising *tables, int i, double sigma, double sigma_data,
                            double weight) {
  struct precondition c = precondition(sigma, sigma_data);
  tables->sigma[i] = (ssk_real)sigma;
  tables->c_in[i] = (ssk_real)c.c_in;
  tables->of_z[i] = (ssk_real)c.of_z;
  tables->c_noise[i] = (ssk_real)c.c_noise;
  tables->weight[i] = (ssk_real)weight;
  tables->sigma_data_square[i] = (ssk_real)(sigma_data * sigma_data);
}

/* Tables of so many entries; false without memory. */
static inline bool tables_new(ssk_tape *tape, int entries, struct noising *out) {
  ssk_real *table = ssk_tape_scratch(tape, 6 * (size_t)entries * sizeof(ssk_real));
  out->sigma = table;
  out->c_in = table + entries;
  out->of_z = table + 2 * entries;
  out->c_noise = table + 3 * entries;
  out->weight = table + 4 * entries;
  out->sigma_data_square = table + 5 * entries;
  return table != NULL;
}

/* Fill p[K] and weight[K] (scratch) with the proposal and what it is made of. */
static inline void propose(const struct diffusion *self, double sigma_data, double *weight,
                           double *p) {
  int K = (int)self->levels;
  for (int k = 0; k < K; k++)
    weight[k] = level_weight(self, k, level_sigma(self, k, 0.5), sigma_data);
  levels_proposal((enum proposal)self->proposal, K, self->sigma, weight, sigma_data, self->power,
                  self->uniform_part, p);
}

/* Tabulate the K levels, or `each` draw by itself, which then is the entry of its own: in
 * continuous time (within), and where sigma_data is of the step. */
static inline void tabulate_draws(const struct diffusion *self, const struct ssk_ctx *ctx,
                                  const struct ssk_rows *rows, const double *p,
                                  const double *within, bool each, struct noising *out) {
  int M = out->M, entries = each ? rows->n * M : (int)self->levels;
  double sigma_data = sigma_data_now(self, ctx);
  for (int i = 0; i < entries; i++) {
    int k = each ? out->level[i] : i;
    if (each && i % M == 0)
      sigma_data = sigma_data_at(self, ctx, ssk_rows_step(rows, i / M));
    double sigma = level_sigma(self, k, within ? within[i] : 0);
    tabulate(out, i, sigma, sigma_data, level_weight(self, k, sigma, sigma_data) / (p[k] * M));
    if (each)
      out->level[i] = i;
  }
}

/* Draw levels and noise for M noised copies of each of the rows. *c_noise [n*M] is the network's
 * second input. False without memory. */
static inline bool draw_noising(const struct diffusion *self, const struct ssk_ctx *ctx,
                                const struct ssk_rows *rows, int M, struct noising *out,
                                ssk_tensor **c_noise) {
  ssk_tape *tape = ctx->tape;
  bool continuous = in_continuous_time(self);
  int K = (int)self->levels, n = rows->n, d = ctx->dims->d;
  bool each = continuous || self->scales > 1;
  double *p = ssk_tape_scratch(tape, (3 * (size_t)K + (size_t)(n * M)) * sizeof(double));
  int *level = ssk_tape_scratch(tape, (size_t)n * (size_t)M * sizeof(int));
  ssk_tensor *noise = ssk_ctx_normal_from(
      ctx, "noise", rows->index, (uint64_t)rows->first * (uint64_t)(M * d), SSK_SHAPE(n * M, d));
  *c_noise = ssk_empty(tape, SSK_SHAPE(n * M));
  *out = (struct noising){.M = M, .level = level, .noise = noise->data};
  if (!p || !level || !noise->count || !(*c_noise)->count ||
      !tables_new(tape, each ? n * M : K, out))
    return false;

  double *upto = p + K, *weight = p + 2 * K, *within = continuous ? p + 3 * K : NULL;
  propose(self, sigma_data_now(self, ctx), weight, p);
  ssk_rng rng = ssk_ctx_rng(ctx, "levels", rows->index);
  levels_draw((enum draw_mode)self->draw_mode, &rng, K, p, rows->first, n, ssk_rows_total(rows), M,
              upto, level, within);
  tabulate_draws(self, ctx, rows, p, within, each, out);
  for (int i = 0; i < n * M; i++)
    (*c_noise)->data[i] = out->c_noise[level[i]];
  ssk_ctx_show_draw(ctx, "levels", rows->index, *c_noise);
  return true;
}

#endif
