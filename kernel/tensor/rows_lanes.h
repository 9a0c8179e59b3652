/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rows_lanes.h - rows.c's loops for LANES neighbouring channels, from the first that x points to;
 * included once for strips and once for the channels that are left over. */
#define JOIN_(a, b) a##b
#define JOIN(a, b)  JOIN_(a, b)
#define LANES_OF(f) JOIN(JOIN(f, _), LANES)
#define lanes       LANES_OF(lanes)
#define inline_here static inline __attribute__((always_inline))

typedef ssk_real lanes __attribute__((vector_size(LANES * sizeof(ssk_real))));

/* Taps whose number the compiler knows: their factors stay in registers. */
inline_here void LANES_OF(filter_by)(size_t n, size_t C, size_t taps, const ssk_real *factor,
                                     const ssk_real *x, ptrdiff_t step, const ssk_real *base,
                                     size_t base_stride, ssk_real *y) {
  lanes f[MOST_TAPS], left, sum;
  for (size_t i = 0; i < taps; i++)
    memcpy(&f[i], factor + i * C, sizeof f[i]);
  for (size_t r = 0; r < n; r++) {
    memcpy(&sum, base + r * base_stride, sizeof sum);
#pragma GCC unroll 4
    for (size_t i = 0; i < taps; i++) {
      memcpy(&left, x + (ptrdiff_t)(r * C) + (ptrdiff_t)i * step, sizeof left);
      sum += f[i] * left;
    }
    memcpy(y + r * C, &sum, sizeof sum);
  }
}

static void LANES_OF(filter)(size_t n, size_t C, size_t taps, const ssk_real *factor,
                             const ssk_real *x, ptrdiff_t step, const ssk_real *base,
                             size_t base_stride, ssk_real *y) {
  if (taps == 1)
    LANES_OF(filter_by)(n, C, 1, factor, x, step, base, base_stride, y);
  else if (taps == 2)
    LANES_OF(filter_by)(n, C, 2, factor, x, step, base, base_stride, y);
  else
    LANES_OF(filter_by)(n, C, MOST_TAPS, factor, x, step, base, base_stride, y);
}

inline_here void LANES_OF(add)(size_t n, size_t C, const ssk_real *row, const ssk_real *base,
                               ssk_real *y) {
  lanes sum, more;
  memcpy(&sum, row, sizeof sum);
  for (size_t r = 0; r < n; r++) {
    lanes to = sum;
    if (base) {
      memcpy(&more, base + r * C, sizeof more);
      to += more;
    }
    memcpy(y + r * C, &to, sizeof to);
  }
}

/* Four sums at a time: one alone would wait for itself. */
inline_here void LANES_OF(sum)(size_t n, size_t C, const ssk_real *x, const ssk_real *y,
                               ssk_real *sums) {
  enum { apart = 4 };
  lanes sum[apart] = {0}, left, right, total;
  size_t r = 0;
  for (; r + apart <= n; r += apart)
#pragma GCC unroll 4
    for (size_t i = 0; i < apart; i++) {
      memcpy(&left, x + (r + i) * C, sizeof left);
      if (y)
        memcpy(&right, y + (r + i) * C, sizeof right);
      sum[i] += y ? left * right : left;
    }
  for (; r < n; r++) {
    memcpy(&left, x + r * C, sizeof left);
    if (y)
      memcpy(&right, y + r * C, sizeof right);
    sum[0] += y ? left * right : left;
  }
  memcpy(&total, sums, sizeof total);
  total += (sum[0] + sum[2]) + (sum[1] + sum[3]);
  memcpy(sums, &total, sizeof total);
}

inline_here void LANES_OF(gate)(size_t n, size_t C, const ssk_real *u, ssk_real *y) {
  const ssk_real half = (ssk_real)0.5;
  lanes a, b;
  for (size_t r = 0; r < n; r++) {
    memcpy(&a, u + 2 * r * C, sizeof a);
    memcpy(&b, u + (2 * r + 1) * C, sizeof b);
    b *= half + half * a;
    memcpy(y + r * C, &b, sizeof b);
  }
}

/* With s = (1 + a)/2: s (1 - s) = (1 - a^2)/4. */
inline_here void LANES_OF(gate_back)(size_t n, size_t C, const ssk_real *dy, ssk_real *u) {
  const ssk_real half = (ssk_real)0.5, quarter = (ssk_real)0.25;
  lanes a, b, d;
  for (size_t r = 0; r < n; r++) {
    memcpy(&a, u + 2 * r * C, sizeof a);
    memcpy(&b, u + (2 * r + 1) * C, sizeof b);
    memcpy(&d, dy + r * C, sizeof d);
    const lanes da = d * b * (quarter - quarter * a * a);
    b = d * (half + half * a) * (1 - b * b);
    memcpy(u + 2 * r * C, &da, sizeof da);
    memcpy(u + (2 * r + 1) * C, &b, sizeof b);
  }
}

#undef JOIN_
#undef JOIN
#undef LANES_OF
#undef lanes
#undef inline_here
#undef LANES
