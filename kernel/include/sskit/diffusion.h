/* SPDX-License-Identifier: GPL-3.0-or-later */
/* diffusion.h - the slots of what a diffusion is made of: schedule, denoiser, mixer, sampler. Part
 * of plugin.h. */
#ifndef SSKIT_DIFFUSION_H
#define SSKIT_DIFFUSION_H

#include <sskit/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- schedule ------------------------------------------------------------------------------- */

/* A noise schedule as the noise-to-signal ratio sigma(u) = sigma_tau / alpha_tau of diffusion time
 * u in [0, 1], increasing. Pure functions. */
struct ssk_schedule_ops {
  size_t size;
  double (*sigma)(const void *self, double u);
  /* [optional] Its inverse; default: bisection. */
  double (*time)(const void *self, double sigma);
};

/* ---- denoiser ------------------------------------------------------------------------------- */

/* M noised targets for each of n conditioning rows; row n*M + m belongs to conditioning row n. */
struct ssk_noisy {
  size_t size;
  struct ssk_rows cond; /* n, past, pad, u, time */
  int M;
  ssk_tensor *noisy;   /* [n*M, d] already scaled by c_in */
  ssk_tensor *c_noise; /* [n*M] the noise level as the network sees it: log(sigma)/4 */
};

struct ssk_denoiser_ops {
  size_t size;
  int (*build)(void *self, ssk_builder *b, const struct ssk_dims *dims);
  ssk_tensor *(*run)(const void *self, const struct ssk_ctx *ctx, const struct ssk_noisy *in);
  /* [n*M, d]: the raw network output F of EDM's preconditioning */

  /* Rows n*M that `run` is given at once where nothing is recorded (validation, sampling), when
   * there are more: for a network that makes much of a row. 0: all of them. */
  int rows_at_once;
};

/* ---- mixer ---------------------------------------------------------------------------------- */

/* Mixing along an axis, width kept: the first axis of x [L, N, C]. Components that have a second
 * axis before it give x [A, L, N, C]: A groups that do not see each other. */
struct ssk_mixer_ops {
  size_t size;
  int (*build)(void *self, ssk_builder *b, int width);
  ssk_tensor *(*run)(const void *self, const struct ssk_ctx *ctx, ssk_tensor *x, bool causal);
  /* Does `run` take groups as they lie? Else the kernel brings them into the form [L, A*N, C]. */
  bool groups;
};

/* ---- sampler -------------------------------------------------------------------------------- */

/* Draw from a diffusion given its denoiser, in VE coordinates (sigma is the noise-to-signal ratio).
 */
struct ssk_sampling {
  size_t size;
  int n, d;
  double sigma_min, sigma_max; /* the levels of training lie between them */
  double sigma_data;           /* root mean square of what is drawn, as far as it is known */
  /* sigma of diffusion time u in [0,1], increasing, from sigma_min to sigma_max. */
  double (*sigma)(const struct ssk_sampling *problem, double u);
  int levels; /* K of the training grid, sigma(0)...sigma(1) in K points */
  /* D(x; sigma): the expected clean value, [n, d]. */
  ssk_tensor *(*denoise)(const struct ssk_sampling *problem, const struct ssk_ctx *ctx,
                         ssk_tensor *x, double sigma);
  const void *state; /* for the two functions above */
  uint32_t index;    /* names the random numbers */
};

struct ssk_sampler_ops {
  size_t size;
  /* [n, d]: samples. The tape does not record. */
  ssk_tensor *(*run)(const void *self, const struct ssk_ctx *ctx,
                     const struct ssk_sampling *problem);
  /* Denoiser evaluations a sample costs, given the levels of training. */
  int (*evaluations)(const void *self, int levels);
};

#ifdef __cplusplus
}
#endif
#endif
