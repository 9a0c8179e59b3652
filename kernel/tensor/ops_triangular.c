/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ops_triangular.c - Cholesky factors and triangular solves of many small matrices: what exact
 * Gaussian densities and Kalman filters on the tape are made of. Plain loops of fixed order: at a
 * handful of dimensions a call of LAPACK costs more than the work.
 *
 * Ways back: Murray 2016, "Differentiation of the Cholesky decomposition", section 3; Giles 2008,
 * "Collected matrix derivative results for forward and reverse mode algorithmic differentiation",
 * section 2.3. */
#include "tensor/ops.h"
#include <math.h>
#include <string.h>

/* x <- L^{-1} x, or with `transposed` L^{-T} x, of x [d, m]. */
static void solve(int d, int m, const ssk_real *restrict L, bool transposed, ssk_real *restrict x) {
  for (int k = 0; k < d; k++) {
    const int i = transposed ? d - 1 - k : k;
    for (int l = 0; l < k; l++) {
      const int other = transposed ? d - 1 - l : l;
      const ssk_real factor = transposed ? L[other * d + i] : L[i * d + other];
      for (int c = 0; c < m; c++)
        x[i * m + c] -= factor * x[other * m + c];
    }
    for (int c = 0; c < m; c++)
      x[i * m + c] /= L[i * d + i];
  }
}

/* ---- cholesky: A [N, d, d], of which the lower triangle is read -> L, A = L L' ----------------
 */

int ssk_shape_cholesky(struct ssk_call *call, int *ndim, int *shape) {
  const ssk_tensor *a = call->in[0];
  if (a->ndim != 3 || a->shape[1] != a->shape[2])
    return ssk_misfit(call, "shape %s is not one of square matrices", SSK_SHOW(a));
  *ndim = 3;
  memcpy(shape, a->shape, 3 * sizeof *shape);
  return SSK_OK;
}

/* Not positive definite: nan, which makes the loss nan, and the step is skipped. */
static void factorise(int d, const ssk_real *restrict a, ssk_real *restrict L) {
  memset(L, 0, (size_t)(d * d) * sizeof *L);
  for (int j = 0; j < d; j++)
    for (int i = j; i < d; i++) {
      ssk_real sum = a[i * d + j];
      for (int k = 0; k < j; k++)
        sum -= L[i * d + k] * L[j * d + k];
      L[i * d + j] = i == j ? (ssk_real)sqrt((double)sum) : sum / L[j * d + j];
    }
}

void ssk_forward_cholesky(struct ssk_call *call) {
  const int d = call->out->shape[1];
  const size_t each = (size_t)(d * d);
  for (size_t n = 0; n < (size_t)call->out->shape[0]; n++)
    factorise(d, call->in[0]->data + n * each, call->out->data + n * each);
}

/* dA = (S + S')/2, S = L^{-T} Phi L^{-1}, Phi = the lower triangle of L' dL, its diagonal halved.
 * As A's lower triangle stands for both, its entries get those of S + S', and on the diagonal of S.
 */
void ssk_backward_cholesky(struct ssk_call *call) {
  const int d = call->out->shape[1];
  const size_t each = (size_t)(d * d);
  ssk_real *phi = ssk_scratch_reals(call, 2 * each), *turned = phi + each;
  if (!phi)
    return;
  for (size_t n = 0; n < (size_t)call->out->shape[0]; n++) {
    const ssk_real *L = call->out->data + n * each, *dL = call->out->grad + n * each;
    ssk_real *dA = call->in[0]->grad + n * each;
    for (int i = 0; i < d; i++)
      for (int j = 0; j < d; j++) {
        ssk_real sum = 0;
        for (int k = i; k < d && j <= i; k++)
          sum += L[k * d + i] * dL[k * d + j];
        phi[i * d + j] = i == j ? sum / 2 : sum;
      }
    solve(d, d, L, true, phi); /* L^{-T} Phi, then the same from the right */
    for (int i = 0; i < d; i++)
      for (int j = 0; j < d; j++)
        turned[j * d + i] = phi[i * d + j];
    solve(d, d, L, true, turned);
    for (int i = 0; i < d; i++)
      for (int j = 0; j <= i; j++)
        dA[i * d + j] += i == j ? turned[i * d + i] : turned[i * d + j] + turned[j * d + i];
  }
}

ssk_tensor *ssk_cholesky(ssk_tape *tape, ssk_tensor *a) {
  return ssk_apply_op(tape, SSK_OP_cholesky, SSK_INPUTS(a), NULL, 0);
}

/* ---- solve_lower: L [N, d, d], b [N, d, m] -> L^{-1} b, or L^{-T} b ---------------------------
 */

int ssk_shape_solve_lower(struct ssk_call *call, int *ndim, int *shape) {
  const ssk_tensor *L = call->in[0], *b = call->in[1];
  if (L->ndim != 3 || b->ndim != 3 || L->shape[1] != L->shape[2] || L->shape[0] != b->shape[0] ||
      L->shape[1] != b->shape[1])
    return ssk_misfit(call, "shapes %s and %s are not those of triangular systems", SSK_SHOW(L),
                      SSK_SHOW(b));
  *ndim = 3;
  memcpy(shape, b->shape, 3 * sizeof *shape);
  return SSK_OK;
}

void ssk_forward_solve_lower(struct ssk_call *call) {
  const bool transposed = *(const int *)call->attr;
  const int d = call->out->shape[1], m = call->out->shape[2];
  memcpy(call->out->data, call->in[1]->data, call->out->count * sizeof *call->out->data);
  for (int n = 0; n < call->out->shape[0]; n++)
    solve(d, m, call->in[0]->data + n * d * d, transposed, call->out->data + n * d * m);
}

/* x = L^{-1} b:  db = L^{-T} dx,  dL = -lower triangle of db x';
 * x = L^{-T} b:  db = L^{-1} dx,  dL = -lower triangle of x db'. */
void ssk_backward_solve_lower(struct ssk_call *call) {
  const bool transposed = *(const int *)call->attr;
  const ssk_tensor *L = call->in[0], *b = call->in[1], *x = call->out;
  const int d = x->shape[1], m = x->shape[2];
  ssk_real *db = ssk_scratch_reals(call, (size_t)(d * m));
  for (int n = 0; db && n < x->shape[0]; n++) {
    const ssk_real *xs = x->data + n * d * m;
    memcpy(db, x->grad + n * d * m, (size_t)(d * m) * sizeof *db);
    solve(d, m, L->data + n * d * d, !transposed, db);
    for (int i = 0; ssk_wants(b) && i < d * m; i++)
      b->grad[n * d * m + i] += db[i];
    const ssk_real *row = transposed ? xs : db, *column = transposed ? db : xs;
    for (int i = 0; ssk_wants(L) && i < d; i++)
      for (int j = 0; j <= i; j++) {
        ssk_real sum = 0;
        for (int c = 0; c < m; c++)
          sum += row[i * m + c] * column[j * m + c];
        L->grad[(n * d + i) * d + j] -= sum;
      }
  }
}

ssk_tensor *ssk_solve_lower(ssk_tape *tape, ssk_tensor *L, ssk_tensor *b, bool transposed) {
  const int attr = transposed;
  return ssk_apply_op(tape, SSK_OP_solve_lower, SSK_INPUTS(L, b), &attr, sizeof attr);
}
