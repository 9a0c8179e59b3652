/* SPDX-License-Identifier: GPL-3.0-or-later */
/* activation.c - activation functions and their slopes.
 *
 * ReLU, tanh and the sigmoid give their slope by their value. SiLU (Elfwing et al. 2018), GELU
 * (Hendrycks and Gimpel 2016, tanh form) and softplus do not, or not accurately: their slope is
 * computed on the way, where the costly part of it is at hand. Comparisons let NaN through. */
#include "tensor/activation.h"
#include "tensor/vmath.h"
#include <string.h>

enum { block = 512 };
#define LOOP _Pragma("GCC ivdep") for (size_t i = 0; i < n; i++)

bool ssk_act_keeps_slope(enum ssk_act act) {
  return act == SSK_SILU || act == SSK_GELU || act == SSK_SOFTPLUS;
}

static void silu(size_t n, const ssk_real *x, ssk_real *y, ssk_real *slope) {
  ssk_real s[block];
  ssk_vsigmoid(n, x, s);
  if (slope)
    LOOP slope[i] = s[i] * (1 + x[i] * (1 - s[i]));
  LOOP y[i] = x[i] * s[i];
}

static void gelu(size_t n, const ssk_real *x, ssk_real *y, ssk_real *slope) {
  const ssk_real c = (ssk_real)0.79788456080286535588, cubic = (ssk_real)0.044715; /* sqrt(2/pi) */
  const ssk_real half = (ssk_real)0.5;
  ssk_real t[block] = {0}; /* else GCC, which does not know that n > 0, warns at -O2 */
  LOOP t[i] = c * (x[i] + cubic * x[i] * x[i] * x[i]);
  ssk_vtanh(n, t, t);
  if (slope)
    LOOP slope[i] =
        half * (1 + t[i]) + half * x[i] * (1 - t[i] * t[i]) * (c * (1 + 3 * cubic * x[i] * x[i]));
  LOOP y[i] = half * x[i] * (1 + t[i]);
}

static void softplus(size_t n, const ssk_real *x, ssk_real *y, ssk_real *slope) {
  if (slope)
    ssk_vsigmoid(n, x, slope);
  ssk_vsoftplus(n, x, y);
}

static void in_blocks(void (*act)(size_t, const ssk_real *, ssk_real *, ssk_real *), size_t n,
                      const ssk_real *x, ssk_real *y, ssk_real *slope) {
  for (size_t from = 0; from < n; from += block)
    act(n - from < block ? n - from : block, x + from, y + from, slope ? slope + from : NULL);
}

void ssk_act_forward(enum ssk_act act, size_t n, const ssk_real *x, ssk_real *y, ssk_real *slope) {
  switch (act) {
  case SSK_LINEAR:
    if (y != x)
      memcpy(y, x, n * sizeof *y);
    break;
  case SSK_RELU:
    LOOP y[i] = x[i] < 0 ? 0 : x[i];
    break;
  case SSK_TANH:
    ssk_vtanh(n, x, y);
    break;
  case SSK_SIGMOID:
    ssk_vsigmoid(n, x, y);
    break;
  case SSK_SILU:
    in_blocks(silu, n, x, y, slope);
    break;
  case SSK_GELU:
    in_blocks(gelu, n, x, y, slope);
    break;
  case SSK_SOFTPLUS:
    in_blocks(softplus, n, x, y, slope);
    break;
  }
}

void ssk_act_backward(enum ssk_act act, size_t n, const ssk_real *y, const ssk_real *slope,
                      const ssk_real *dy, ssk_real *dx) {
  switch (act) {
  case SSK_LINEAR:
    if (dx != dy)
      memcpy(dx, dy, n * sizeof *dx);
    break;
  case SSK_RELU:
    LOOP {
      const ssk_real passed = dy[i]; /* read in any case: so the loop has no branch */
      dx[i] = y[i] > 0 ? passed : 0;
    }
    break;
  case SSK_TANH:
    LOOP dx[i] = dy[i] * (1 - y[i] * y[i]);
    break;
  case SSK_SIGMOID:
    LOOP dx[i] = dy[i] * (y[i] * (1 - y[i]));
    break;
  case SSK_SILU:
  case SSK_GELU:
  case SSK_SOFTPLUS:
    LOOP dx[i] = dy[i] * slope[i];
    break;
  }
}
