/* SPDX-License-Identifier: GPL-3.0-or-later */
/* time_features.c - how models are told the time, and denoisers the noise level: sines and cosines.
 * Those of the step are at F/2 wave numbers, from 1 down to 1e-4 (Vaswani et al. 2017, section
 * 3.5). */
#include <math.h>
#include <sskit/weights.h>

static double wave_number(int i, int half) {
  return pow(1e4, -(double)i / half);
}

ssk_tensor *ssk_time_features(ssk_tape *tape, int n, const int *steps, int F) {
  int half = F / 2;
  ssk_tensor *out = ssk_empty(tape, SSK_SHAPE(n, F));
  for (int r = 0; out->count && r < n; r++)
    for (int i = 0; i < half; i++) {
      double angle = steps[r] * wave_number(i, half);
      out->data[r * F + i] = (ssk_real)sin(angle);
      out->data[r * F + half + i] = (ssk_real)cos(angle);
    }
  return out;
}

ssk_tensor *ssk_time_before(ssk_tape *tape, const ssk_tensor *features, int lag) {
  int F = ssk_width(features), half = F / 2;
  ssk_tensor *out = ssk_empty(tape, features->ndim, features->shape);
  if (!out->count)
    return out;
  for (int i = 0; i < half; i++) {
    ssk_real s = (ssk_real)sin(lag * wave_number(i, half));
    ssk_real c = (ssk_real)cos(lag * wave_number(i, half));
    const ssk_real *from = features->data + i;
    ssk_real *to = out->data + i;
    for (size_t r = 0; r < features->count; r += (size_t)F) {
      to[r] = from[r] * c - from[r + (size_t)half] * s;
      to[r + (size_t)half] = from[r + (size_t)half] * c + from[r] * s;
    }
  }
  return out;
}

ssk_tensor *ssk_level_features(ssk_tape *tape, const ssk_tensor *values, int n, double highest) {
  int U = (int)values->count, half = n / 2;
  ssk_tensor *angle = ssk_empty(tape, SSK_SHAPE(U, half));
  for (int i = 0; angle->count && i < half; i++) {
    double frequency = pow(highest, half > 1 ? i / (half - 1.0) : 0);
    for (int r = 0; r < U; r++) { /* whole turns are left out before the angle is rounded */
      double turns = (double)values->data[r] * frequency / (2 * M_PI);
      angle->data[r * half + i] = (ssk_real)(2 * M_PI * (turns - rint(turns)));
    }
  }
  return ssk_concat(tape, 2, (ssk_tensor *[]){ssk_sin(tape, angle), ssk_cos(tape, angle)}, -1);
}
