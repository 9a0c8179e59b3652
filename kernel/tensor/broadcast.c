/* SPDX-License-Identifier: GPL-3.0-or-later */
/* broadcast.c - merging of axes, and reduction over repeated ones. */
#include "tensor/broadcast.h"
#include "tensor/sums.h"
#include <string.h>

/* Length of the axis of x under axis i of a tensor with ndim axes: missing ones count as 1. */
static size_t axis_under(const ssk_tensor *x, int i, int ndim) {
  const int own = i - (ndim - x->ndim);
  return own < 0 ? 1 : (size_t)x->shape[own];
}

struct ssk_loops ssk_broadcast_loops(const ssk_tensor *out, const ssk_tensor *a,
                                     const ssk_tensor *b) {
  struct ssk_loops loops = {.n = {1, 1, 1, 1}};
  size_t stride_a = 1, stride_b = 1;
  int at = SSK_MAX_DIMS;
  bool moves_a = false, moves_b = false;
  for (int i = out->ndim - 1; i >= 0; i--) {
    const size_t n = (size_t)out->shape[i];
    if (n == 1)
      continue;
    const size_t n_a = axis_under(a, i, out->ndim), n_b = axis_under(b, i, out->ndim);
    if (at == SSK_MAX_DIMS || moves_a != (n_a > 1) || moves_b != (n_b > 1)) {
      at--;
      moves_a = n_a > 1;
      moves_b = n_b > 1;
      loops.a[at] = moves_a ? stride_a : 0;
      loops.b[at] = moves_b ? stride_b : 0;
    }
    loops.n[at] *= n;
    stride_a *= n_a;
    stride_b *= n_b;
  }
  return loops;
}

/* The merged axes of `out`, innermost first, as kept or summed. */
struct runs {
  int count;
  size_t n[SSK_MAX_DIMS];
  bool summed[SSK_MAX_DIMS];
};

static struct runs find_runs(const ssk_tensor *out, const ssk_tensor *target) {
  struct runs runs = {0};
  for (int i = out->ndim - 1; i >= 0; i--) {
    if (out->shape[i] == 1)
      continue;
    const bool summed = axis_under(target, i, out->ndim) == 1;
    if (runs.count == 0 || runs.summed[runs.count - 1] != summed) {
      runs.n[runs.count] = 1;
      runs.summed[runs.count++] = summed;
    }
    runs.n[runs.count - 1] *= (size_t)out->shape[i];
  }
  return runs;
}

static int count_summed(const struct runs *runs) {
  int n = 0;
  for (int i = 0; i < runs->count; i++)
    n += runs->summed[i];
  return n;
}

int ssk_reduction_passes(const ssk_tensor *out, const ssk_tensor *target) {
  const struct runs runs = find_runs(out, target);
  return count_summed(&runs);
}

void ssk_add_reduced(const ssk_tensor *out, const ssk_tensor *target, ssk_real scale,
                     const ssk_real *x, ssk_real *y, ssk_real *scratch) {
  struct runs runs = find_runs(out, target);
  size_t count = out->count;
  int left = count_summed(&runs);
  if (left == 0) {
    ssk_add_scaled(count, scale, x, y);
    return;
  }
  /* Innermost first; with four axes there are two passes at most. */
  for (; left > 0; left--) {
    int i = 0;
    size_t inner = 1;
    for (; !runs.summed[i]; i++)
      inner *= runs.n[i];
    const size_t n = runs.n[i], outer = count / (inner * n);
    const ssk_real factor = left == 1 ? scale : 1;
    ssk_real *into = left == 1 ? y : scratch;
    count /= n;
    if (left > 1)
      memset(into, 0, count * sizeof *into);
    if (inner == 1)
      ssk_add_row_sums(outer, n, factor, x, into);
    else
      for (size_t o = 0; o < outer; o++)
        ssk_add_column_sums(n, inner, factor, x + o * n * inner, into + o * inner);
    runs.n[i] = 1;
    runs.summed[i] = false;
    x = into;
  }
}
