/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gemm_jit.c - small matrix products by libxsmm (Heinecke, Henry, Hutchinson, Pabst: LIBXSMM, SC
 * 2016), which makes code for a shape when it is first asked for it.
 *
 * A layer of 32 to 64 units leaves OpenBLAS little to block: there, a call costs as much as the
 * product. libxsmm has neither packing nor checks to pay for. Its kernels are column-major, so they
 * get C^T = B^T A^T; they can read their right factor (A) transposed, but not their left one (B),
 * which is transposed here, into memory of the thread.
 *
 * Rows are worked on in pieces of a fixed size, and so are sums over rows: the number of kernels
 * stays bounded, however many lengths a data set has. */
#include "tensor/gemm_jit.h"

#ifndef SSK_LIBXSMM

bool ssk_gemm_jit(int m, int n, int k, struct ssk_matrix a, struct ssk_matrix b, int keep,
                  ssk_real *c, int c_stride) {
  (void)m, (void)n, (void)k, (void)a, (void)b, (void)keep, (void)c, (void)c_stride;
  return false;
}

const char *ssk_gemm_jit_name(void) {
  return NULL;
}

#else

#include "tensor/transpose.h"
#include <libxsmm.h>
#include <stdio.h>

#ifdef SSK_DOUBLE
typedef libxsmm_dmmfunction kernel;
#define DISPATCH libxsmm_dmmdispatch
#else
typedef libxsmm_smmfunction kernel;
#define DISPATCH libxsmm_smmdispatch
#endif

enum {
  PIECE = 256,    /* rows of a piece */
  MOST = 1 << 15, /* entries of what all pieces read or add to: it must stay in the cache */
  FEWEST = 4,     /* columns below which OpenBLAS is as good */
  SHAPES = 256    /* that a thread remembers */
};

struct shape {
  int m, n, k, a_stride, b_stride, c_stride, a_transposed, keep;
};

struct remembered {
  struct shape shape;
  kernel run;
};

static kernel make(const struct shape *s) {
  const ssk_real alpha = 1, beta = (ssk_real)s->keep;
  const int flags = s->a_transposed ? LIBXSMM_GEMM_FLAG_TRANS_B : LIBXSMM_GEMM_FLAG_NONE;
  const int prefetch = LIBXSMM_PREFETCH_NONE;
  return DISPATCH(s->n, s->m, s->k, &s->b_stride, &s->a_stride, &s->c_stride, &alpha, &beta, &flags,
                  &prefetch);
}

static bool same(const struct shape *x, const struct shape *y) {
  return x->m == y->m && x->n == y->n && x->k == y->k && x->a_stride == y->a_stride &&
         x->b_stride == y->b_stride && x->c_stride == y->c_stride &&
         x->a_transposed == y->a_transposed && x->keep == y->keep;
}

/* libxsmm finds a kernel in some 50 ns; a table of the thread's own in a few. */
static kernel find(const struct shape *s) {
  static _Thread_local struct remembered table[SHAPES];
  unsigned hash = (unsigned)s->m;
  hash = hash * 31u + (unsigned)s->n;
  hash = hash * 31u + (unsigned)s->k;
  hash = hash * 31u + (unsigned)s->a_stride + (unsigned)s->b_stride;
  hash = hash * 31u + (unsigned)s->c_stride + 2u * (unsigned)s->a_transposed + (unsigned)s->keep;
  struct remembered *entry = &table[(hash * 2654435769u) >> 24];
  if (!entry->run || !same(&entry->shape, s))
    *entry = (struct remembered){*s, make(s)};
  return entry->run;
}

/* B[k,n] as it is read, from rows of n entries. */
static const ssk_real *transposed(int n, int k, struct ssk_matrix b) {
  static _Thread_local _Alignas(64) ssk_real copy[MOST];
  ssk_transpose((size_t)n, (size_t)k, b.data, (size_t)b.stride, false, copy, (size_t)n);
  return copy;
}

bool ssk_gemm_jit(int m, int n, int k, struct ssk_matrix a, struct ssk_matrix b, int keep,
                  ssk_real *c, int c_stride) {
  const bool sums_over_rows = a.as == SSK_TRANSPOSED;
  if (n < FEWEST || k < FEWEST || (!sums_over_rows && (long)n * k > MOST) ||
      (sums_over_rows && (long)m * n > MOST))
    return false;
  if (b.as == SSK_TRANSPOSED) {
    if (sums_over_rows || m < FEWEST)
      return false;
    b = (struct ssk_matrix){transposed(n, k, b), n, SSK_AS_IS};
  }
  struct shape s = {.m = m,
                    .n = n,
                    .k = k,
                    .a_stride = a.stride,
                    .b_stride = b.stride,
                    .c_stride = c_stride,
                    .a_transposed = sums_over_rows,
                    .keep = keep};
  int *rows = sums_over_rows ? &s.k : &s.m;
  const int total = *rows;
  for (int r = 0; r < total; r += PIECE) {
    *rows = total - r < PIECE ? total - r : PIECE;
    const kernel run = find(&s);
    if (!run)
      return false; /* of all shapes, or of none: nothing was written yet */
    const size_t at = (size_t)r;
    if (sums_over_rows) {
      run(b.data + at * (size_t)b.stride, a.data + at * (size_t)a.stride, c);
      s.keep = 1;
    } else {
      run(b.data, a.data + at * (size_t)a.stride, c + at * (size_t)c_stride);
    }
  }
  return true;
}

const char *ssk_gemm_jit_name(void) {
  static char name[64];
  if (!name[0])
    snprintf(name, sizeof name, "libxsmm %s (%s)", LIBXSMM_VERSION, libxsmm_get_target_arch());
  return name;
}

#endif
