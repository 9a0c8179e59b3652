/* SPDX-License-Identifier: GPL-3.0-or-later */
/* diffusion_draw.h - drawing from the diffusion: what its sampler is given. */
#ifndef DIFFUSION_DRAW_H
#define DIFFUSION_DRAW_H

#include "diffusion_state.h"

struct drawing {
  const struct diffusion *self;
  const struct ssk_rows *rows;
  double sigma_data;
};

static inline double drawing_sigma(const struct ssk_sampling *problem, double u) {
  const struct drawing *drawing = problem->state;
  return ssk_schedule_sigma(drawing->self->schedule, u);
}

/* D(x; sigma) = c_skip x + c_out F(c_in x, c_noise) of `copies` values of each row. */
static inline ssk_tensor *denoise(const struct drawing *drawing, const struct ssk_ctx *ctx,
                                  ssk_tensor *x, int copies, double sigma) {
  ssk_tape *tape = ctx->tape;
  struct precondition c = precondition(sigma, drawing->sigma_data);
  struct ssk_noisy noisy = {
      .size = sizeof noisy,
      .cond = *drawing->rows,
      .M = copies,
      .noisy = ssk_affine(tape, x, (ssk_real)c.c_in, 0),
      .c_noise = ssk_full(tape, SSK_SHAPE(drawing->rows->n * copies), (ssk_real)c.c_noise)};
  ssk_tensor *F = ssk_denoiser_run(drawing->self->denoiser, ctx, &noisy);
  return ssk_add(tape, ssk_affine(tape, x, (ssk_real)c.c_skip, 0),
                 ssk_affine(tape, F, (ssk_real)c.c_out, 0));
}

static inline ssk_tensor *drawing_denoise(const struct ssk_sampling *problem,
                                          const struct ssk_ctx *ctx, ssk_tensor *x, double sigma) {
  return denoise(problem->state, ctx, x, 1, sigma);
}

static inline ssk_tensor *draw_latents(const struct diffusion *self, const struct ssk_ctx *ctx,
                                       const struct ssk_rows *rows) {
  struct drawing drawing = {self, rows, sigma_data_at(self, ctx, rows->step)};
  struct ssk_sampling problem = {.size = sizeof problem,
                                 .n = rows->n,
                                 .d = ctx->dims->d,
                                 .sigma_min = self->sigma[0],
                                 .sigma_max = self->sigma[self->levels - 1],
                                 .sigma_data = drawing.sigma_data,
                                 .sigma = drawing_sigma,
                                 .levels = (int)self->levels,
                                 .denoise = drawing_denoise,
                                 .state = &drawing,
                                 .index = rows->index};
  bool recorded = ssk_tape_record(ctx->tape, false);
  ssk_tensor *z = ssk_sampler_run(self->sampler, ctx, &problem);
  ssk_tensor *b = centre(self, ctx, rows);
  if (b)
    z = ssk_add(ctx->tape, z, b);
  ssk_tape_record(ctx->tape, recorded);
  return z;
}

#endif
