/* SPDX-License-Identifier: GPL-3.0-or-later */
/* diffusion_ops.h - two fused operations: noising with preconditioning, and the weighted error.
 *
 * Row i = r*M + m of the noised targets belongs to row r of the clean ones, and has level k =
 * level[i] and noise e_i. The factors of a level come from tables, so that nothing but the
 * network's input and its output exists n*M times.
 *
 * The clean rows are values z, or Gaussians N(z, v) whose own noise is integrated out (explicit
 * score matching): with r = sqrt(v + sigma^2), the noised value is z + r e, and the target is that
 * of the posterior mean D* = E[clean | noised] = z + v e / r instead of the clean value. Then
 *
 *   input   c_in (z + r e)
 *   target  (D* - c_skip (z + r e))/c_out = of_z (z + (v - sigma_data^2)/r e)
 *
 * without the cancellation; v = 0 is the denoising target. */
#ifndef DIFFUSION_OPS_H
#define DIFFUSION_OPS_H

#include <math.h>
#include <sskit/tape.h>

/* Pointers into the tape's arena. */
struct noising {
  int M;
  int *level;            /* [n*M] into the tables */
  const ssk_real *noise; /* [n*M, d] standard normals */
  ssk_real *sigma, *c_in, *of_z, *c_noise;
  ssk_real *weight;            /* of the squared error, in nats */
  ssk_real *sigma_data_square; /* of the preconditioning */
};

static inline ssk_real noise_deviation(ssk_real sigma, const ssk_real *variance, size_t i) {
  return variance ? (ssk_real)sqrt((double)(variance[i] + sigma * sigma)) : sigma;
}

/* What noise is multiplied by in the target, but for of_z. */
static inline ssk_real noise_target(const struct noising *a, int k, ssk_real r,
                                    const ssk_real *variance, size_t i) {
  return ((variance ? variance[i] : 0) - a->sigma_data_square[k]) / r;
}

/* z [n, d], variance [n, d] or none -> [n*M, d]: the network's input. */
static int noise_shape(struct ssk_call *call, int *ndim, int *shape) {
  const struct noising *a = call->attr;
  *ndim = 2;
  shape[0] = ssk_height(call->in[0]) * a->M;
  shape[1] = ssk_width(call->in[0]);
  return SSK_OK;
}

static void noise_forward(struct ssk_call *call) {
  const struct noising *a = call->attr;
  size_t n = (size_t)ssk_height(call->in[0]), d = (size_t)ssk_width(call->in[0]), M = (size_t)a->M;
  const ssk_real *z = call->in[0]->data, *variance = call->n > 1 ? call->in[1]->data : NULL;
  const ssk_real *e = a->noise;
  ssk_real *out = call->out->data;
  for (size_t r = 0; r < n; r++)
    for (size_t m = 0; m < M; m++, e += d, out += d) {
      int k = a->level[r * M + m];
      for (size_t i = 0; i < d; i++)
        out[i] =
            a->c_in[k] * (z[r * d + i] + noise_deviation(a->sigma[k], variance, r * d + i) * e[i]);
    }
}

static void noise_backward(struct ssk_call *call) {
  const struct noising *a = call->attr;
  size_t n = (size_t)ssk_height(call->in[0]), d = (size_t)ssk_width(call->in[0]), M = (size_t)a->M;
  const ssk_real *variance = call->n > 1 ? call->in[1]->data : NULL, *e = a->noise;
  ssk_real *dz = call->in[0]->grad, *dvariance = call->n > 1 ? call->in[1]->grad : NULL;
  const ssk_real *dout = call->out->grad;
  for (size_t r = 0; r < n; r++)
    for (size_t m = 0; m < M; m++, e += d, dout += d) {
      int k = a->level[r * M + m];
      for (size_t i = 0; i < d; i++) {
        ssk_real g = a->c_in[k] * dout[i];
        if (dz)
          dz[r * d + i] += g;
        if (dvariance)
          dvariance[r * d + i] +=
              g * e[i] / (2 * noise_deviation(a->sigma[k], variance, r * d + i));
      }
    }
}

static const struct ssk_op noise_op = {.size = sizeof(struct ssk_op),
                                       .name = "diffusion_noise",
                                       .shape = noise_shape,
                                       .forward = noise_forward,
                                       .backward = noise_backward};

/* F [n*M, d], z [n, d], variance [n, d] or none -> [n]: sum over the draws of weight |F -
 * target|^2.
 */
static int error_shape(struct ssk_call *call, int *ndim, int *shape) {
  const struct noising *a = call->attr;
  int n = ssk_height(call->in[1]), d = ssk_width(call->in[1]);
  if (ssk_height(call->in[0]) != n * a->M || ssk_width(call->in[0]) != d) {
    ssk_tape_fail(call->tape, SSK_EPLUGIN,
                  "the denoiser returned %d rows of width %d where %d of width %d are wanted",
                  ssk_height(call->in[0]), ssk_width(call->in[0]), n * a->M, d);
    return SSK_EPLUGIN;
  }
  *ndim = 1;
  shape[0] = n;
  return SSK_OK;
}

static void error_forward(struct ssk_call *call) {
  const struct noising *a = call->attr;
  size_t n = (size_t)ssk_height(call->in[1]), d = (size_t)ssk_width(call->in[1]), M = (size_t)a->M;
  const ssk_real *f = call->in[0]->data, *z = call->in[1]->data, *e = a->noise;
  const ssk_real *variance = call->n > 2 ? call->in[2]->data : NULL;
  for (size_t r = 0; r < n; r++) {
    ssk_real total = 0;
    for (size_t m = 0; m < M; m++, e += d, f += d) {
      int k = a->level[r * M + m];
      ssk_real square = 0;
      for (size_t i = 0; i < d; i++) {
        ssk_real deviation = noise_deviation(a->sigma[k], variance, r * d + i);
        ssk_real of_e = noise_target(a, k, deviation, variance, r * d + i);
        ssk_real miss = f[i] - a->of_z[k] * (z[r * d + i] + of_e * e[i]);
        square += miss * miss;
      }
      total += a->weight[k] * square;
    }
    call->out->data[r] = total;
  }
}

static void error_backward(struct ssk_call *call) {
  const struct noising *a = call->attr;
  size_t n = (size_t)ssk_height(call->in[1]), d = (size_t)ssk_width(call->in[1]), M = (size_t)a->M;
  const ssk_real *f = call->in[0]->data, *z = call->in[1]->data, *e = a->noise;
  const ssk_real *variance = call->n > 2 ? call->in[2]->data : NULL;
  ssk_real *df = call->in[0]->grad, *dz = call->in[1]->grad;
  ssk_real *dvariance = call->n > 2 ? call->in[2]->grad : NULL;
  for (size_t r = 0; r < n; r++)
    for (size_t m = 0; m < M; m++, e += d, f += d) {
      int k = a->level[r * M + m];
      ssk_real dout = 2 * call->out->grad[r] * a->weight[k], sigma = a->sigma[k];
      for (size_t i = 0; i < d; i++) {
        size_t at = r * d + i;
        ssk_real deviation = noise_deviation(sigma, variance, at);
        ssk_real of_e = noise_target(a, k, deviation, variance, at);
        ssk_real g = dout * (f[i] - a->of_z[k] * (z[at] + of_e * e[i]));
        if (df)
          df[(r * M + m) * d + i] += g;
        if (dz)
          dz[at] -= a->of_z[k] * g;
        if (dvariance) /* d of_e / d variance */
          dvariance[at] -= a->of_z[k] * g * e[i] *
                           (variance[at] + 2 * sigma * sigma + a->sigma_data_square[k]) /
                           (2 * deviation * deviation * deviation);
      }
    }
}

static const struct ssk_op error_op = {.size = sizeof(struct ssk_op),
                                       .name = "diffusion_error",
                                       .shape = error_shape,
                                       .forward = error_forward,
                                       .backward = error_backward};

#endif
