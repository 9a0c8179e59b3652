/* SPDX-License-Identifier: GPL-3.0-or-later */
/* diffusion_ops.h - two fused operations: noising with preconditioning, and the weighted error.
 *
 * Row i = r*M + m of the noised targets belongs to row r of the clean ones, and has level k =
 * level[i] and noise e_i. The factors of a level come from tables, so that nothing but the
 * network's input and its output exists n*M times. */
#ifndef DIFFUSION_OPS_H
#define DIFFUSION_OPS_H

#include <sskit/tape.h>

/* Of all levels; pointers into the tape's arena. */
struct noising {
  int M;
  const int *level;                /* [n*M] */
  const ssk_real *noise;           /* [n*M, d] standard normals */
  const ssk_real *in_z, *in_noise; /* [K] network input: in_z z + in_noise e */
  const ssk_real *of_z, *of_noise; /* [K] its target: of_z z - of_noise e */
  const ssk_real *weight;          /* [K] of the squared error, in nats */
};

/* [n, d] -> [n*M, d]: the network's input. */
static int noise_shape(struct ssk_call *call, int *ndim, int *shape) {
  const struct noising *a = call->attr;
  *ndim = 2;
  shape[0] = ssk_height(call->in[0]) * a->M;
  shape[1] = ssk_width(call->in[0]);
  return SSK_OK;
}

static void noise_forward(struct ssk_call *call) {
  const struct noising *a = call->attr;
  int n = ssk_height(call->in[0]), d = ssk_width(call->in[0]);
  const ssk_real *z = call->in[0]->data, *e = a->noise;
  ssk_real *out = call->out->data;
  for (int r = 0; r < n; r++, z += d)
    for (int m = 0; m < a->M; m++, e += d, out += d) {
      int k = a->level[r * a->M + m];
      for (int i = 0; i < d; i++)
        out[i] = a->in_z[k] * z[i] + a->in_noise[k] * e[i];
    }
}

static void noise_backward(struct ssk_call *call) {
  const struct noising *a = call->attr;
  int n = ssk_height(call->in[0]), d = ssk_width(call->in[0]);
  ssk_real *dz = call->in[0]->grad;
  const ssk_real *dout = call->out->grad;
  if (!dz)
    return;
  for (int r = 0; r < n; r++, dz += d)
    for (int m = 0; m < a->M; m++, dout += d) {
      int k = a->level[r * a->M + m];
      for (int i = 0; i < d; i++)
        dz[i] += a->in_z[k] * dout[i];
    }
}

static const struct ssk_op noise_op = {.size = sizeof(struct ssk_op),
                                       .name = "diffusion_noise",
                                       .shape = noise_shape,
                                       .forward = noise_forward,
                                       .backward = noise_backward};

/* F [n*M, d], z [n, d] -> [n]: sum over the draws of weight |F - (of_z z - of_noise e)|^2. */
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
  int n = ssk_height(call->in[1]), d = ssk_width(call->in[1]);
  const ssk_real *f = call->in[0]->data, *z = call->in[1]->data, *e = a->noise;
  for (int r = 0; r < n; r++, z += d) {
    ssk_real total = 0;
    for (int m = 0; m < a->M; m++, e += d, f += d) {
      int k = a->level[r * a->M + m];
      ssk_real square = 0;
      for (int i = 0; i < d; i++) {
        ssk_real miss = f[i] - (a->of_z[k] * z[i] - a->of_noise[k] * e[i]);
        square += miss * miss;
      }
      total += a->weight[k] * square;
    }
    call->out->data[r] = total;
  }
}

static void error_backward(struct ssk_call *call) {
  const struct noising *a = call->attr;
  int n = ssk_height(call->in[1]), d = ssk_width(call->in[1]);
  const ssk_real *f = call->in[0]->data, *z = call->in[1]->data, *e = a->noise;
  ssk_real *df = call->in[0]->grad, *dz = call->in[1]->grad;
  for (int r = 0; r < n; r++, z += d) {
    ssk_real dout = 2 * call->out->grad[r];
    for (int m = 0; m < a->M; m++, e += d, f += d) {
      int k = a->level[r * a->M + m];
      size_t at = (size_t)(r * a->M + m) * (size_t)d;
      for (int i = 0; i < d; i++) {
        ssk_real g = dout * a->weight[k] * (f[i] - (a->of_z[k] * z[i] - a->of_noise[k] * e[i]));
        if (df)
          df[at + (size_t)i] += g;
        if (dz)
          dz[r * d + i] -= a->of_z[k] * g;
      }
    }
  }
}

static const struct ssk_op error_op = {.size = sizeof(struct ssk_op),
                                       .name = "diffusion_error",
                                       .shape = error_shape,
                                       .forward = error_forward,
                                       .backward = error_backward};

#endif
