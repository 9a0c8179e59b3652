/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ops_shape.c - copies that arrange entries anew: columns, joining, permuting, repeating,
 * reversing.
 *
 * Most are described by three numbers: with respect to an axis, a tensor is outer x n x inner,
 * where inner entries lie side by side. */
#include "tensor/activation.h"
#include "tensor/ops.h"
#include "tensor/sums.h"
#include <string.h>

struct split {
  size_t outer, n, inner;
};

static struct split split_at(const ssk_tensor *x, int axis) {
  struct split s = {.outer = 1, .n = (size_t)x->shape[axis], .inner = 1};
  for (int i = 0; i < axis; i++)
    s.outer *= (size_t)x->shape[i];
  for (int i = axis + 1; i < x->ndim; i++)
    s.inner *= (size_t)x->shape[i];
  return s;
}

/* Copy, or add, `rows` runs of n numbers that lie y_step and x_step apart. Short runs have their
 * length known to the compiler: else it calls memcpy for each. */
static void copy_runs(size_t rows, size_t n, const ssk_real *restrict x, size_t x_step,
                      ssk_real *restrict y, size_t y_step) {
#define RUNS_OF(length)                                                                            \
  case length:                                                                                     \
    for (size_t r = 0; r < rows; r++)                                                              \
      memcpy(y + r * y_step, x + r * x_step, length * sizeof *y);                                  \
    break;
  switch (n) {
    RUNS_OF(1)
    RUNS_OF(2)
    RUNS_OF(3)
    RUNS_OF(4)
    RUNS_OF(8)
  default:
    for (size_t r = 0; r < rows; r++)
      memcpy(y + r * y_step, x + r * x_step, n * sizeof *y);
  }
#undef RUNS_OF
}

static void add_runs(size_t rows, size_t n, const ssk_real *restrict x, size_t x_step,
                     ssk_real *restrict y, size_t y_step) {
  for (size_t r = 0; r < rows; r++)
    for (size_t i = 0; i < n; i++)
      y[r * y_step + i] += x[r * x_step + i];
}

/* ---- cols: [.., C] -> act of [.., n] --------------------------------------------------------- */

struct range {
  int from, n;
  enum ssk_act act;
};

int ssk_shape_cols(struct ssk_call *call, int *ndim, int *shape) {
  const struct range *range = call->attr;
  const ssk_tensor *x = call->in[0];
  if (x->ndim < 1 || range->from < 0 || range->n < 1 || range->from > ssk_width(x) - range->n)
    return ssk_misfit(call, "no columns [%d, %d) in a tensor of shape %s", range->from,
                      range->from + range->n, SSK_SHOW(x));
  ssk_shape_same(call, ndim, shape);
  shape[*ndim - 1] = range->n;
  return SSK_OK;
}
/* saved: the slopes, for those activations that keep them */
void ssk_forward_cols(struct ssk_call *call) {
  const struct range *range = call->attr;
  const ssk_tensor *x = call->in[0], *out = call->out;
  copy_runs((size_t)ssk_height(x), (size_t)range->n, x->data + range->from, (size_t)ssk_width(x),
            out->data, (size_t)range->n);
  if (range->act == SSK_LINEAR)
    return;
  if (out->needs_grad && ssk_act_keeps_slope(range->act) &&
      !(call->saved = ssk_scratch_reals(call, out->count)))
    return;
  ssk_act_forward(range->act, out->count, out->data, out->data, call->saved);
}
void ssk_backward_cols(struct ssk_call *call) {
  const struct range *range = call->attr;
  const ssk_tensor *x = call->in[0], *out = call->out;
  const ssk_real *dy = out->grad;
  if (range->act != SSK_LINEAR) {
    ssk_real *product = ssk_scratch_reals(call, out->count);
    if (!product)
      return;
    ssk_act_backward(range->act, out->count, out->data, call->saved, dy, product);
    dy = product;
  }
  add_runs((size_t)ssk_height(x), (size_t)range->n, dy, (size_t)range->n, x->grad + range->from,
           (size_t)ssk_width(x));
}

/* ---- concat: any number of tensors, equal but for one axis ---------------------------------- */

struct concat {
  int axis, n;
  ssk_tensor *const *inputs;
};

int ssk_shape_concat(struct ssk_call *call, int *ndim, int *shape) {
  const struct concat *c = call->attr;
  const ssk_tensor *first = c->inputs[0];
  if (c->axis < 0 || c->axis >= first->ndim)
    return ssk_misfit(call, "no axis %d in a tensor of shape %s", c->axis, SSK_SHOW(first));
  ssk_shape_same(call, ndim, shape);
  int64_t length = 0;
  for (int i = 0; i < c->n; i++) {
    const ssk_tensor *x = c->inputs[i];
    bool fits = x->ndim == first->ndim;
    for (int k = 0; k < x->ndim; k++)
      fits &= k == c->axis || x->shape[k] == first->shape[k];
    if (!fits)
      return ssk_misfit(call, "shapes %s and %s do not join along axis %d", SSK_SHOW(first),
                        SSK_SHOW(x), c->axis);
    length += x->shape[c->axis];
  }
  if (length > INT32_MAX)
    return ssk_misfit(call, "the joined axis is too long");
  shape[c->axis] = (int)length;
  return SSK_OK;
}
void ssk_forward_concat(struct ssk_call *call) {
  const struct concat *c = call->attr;
  const struct split whole = split_at(call->out, c->axis);
  ssk_real *y = call->out->data;
  for (int i = 0; i < c->n; i++) {
    const struct split s = split_at(c->inputs[i], c->axis);
    copy_runs(s.outer, s.n * s.inner, c->inputs[i]->data, s.n * s.inner, y, whole.n * whole.inner);
    y += s.n * s.inner;
  }
}
void ssk_backward_concat(struct ssk_call *call) {
  const struct concat *c = call->attr;
  const struct split whole = split_at(call->out, c->axis);
  const ssk_real *dy = call->out->grad;
  for (int i = 0; i < c->n; i++) {
    const struct split s = split_at(c->inputs[i], c->axis);
    if (ssk_wants(c->inputs[i]))
      (ssk_call_fresh(call, i) ? copy_runs : add_runs)(
          s.outer, s.n * s.inner, dy, whole.n * whole.inner, c->inputs[i]->grad, s.n * s.inner);
    dy += s.n * s.inner;
  }
}

/* ---- permute -------------------------------------------------------------------------------- */

struct perm {
  int axis[SSK_MAX_DIMS];
};

int ssk_shape_permute(struct ssk_call *call, int *ndim, int *shape) {
  const struct perm *perm = call->attr;
  const ssk_tensor *x = call->in[0];
  unsigned seen = 0;
  *ndim = x->ndim;
  for (int i = 0; i < x->ndim; i++) {
    if (perm->axis[i] < 0 || perm->axis[i] >= x->ndim || (seen >> perm->axis[i] & 1))
      return ssk_misfit(call, "%s is not a permutation of %d axes",
                        ssk_shape_text(x->ndim, perm->axis).text, x->ndim);
    seen |= 1u << perm->axis[i];
    shape[i] = x->shape[perm->axis[i]];
  }
  return SSK_OK;
}

/* Walk the output in order; `step` is how far the input moves along each of its axes. */
static void permuted_steps(const struct ssk_call *call, size_t step[SSK_MAX_DIMS]) {
  const struct perm *perm = call->attr;
  const ssk_tensor *x = call->in[0];
  size_t own[SSK_MAX_DIMS] = {0}, stride = 1;
  for (int i = x->ndim - 1; i >= 0; i--) {
    own[i] = stride;
    stride *= (size_t)x->shape[i];
  }
  for (int i = 0; i < SSK_MAX_DIMS; i++)
    step[i] = i < x->ndim ? own[perm->axis[i]] : 0;
}

/* The four loops over an output of this shape, right aligned so that the last axis is innermost. */
#define PERMUTED(out, step, STATEMENT)                                                             \
  const int lead = SSK_MAX_DIMS - (out)->ndim;                                                     \
  size_t n_[SSK_MAX_DIMS] = {1, 1, 1, 1}, s_[SSK_MAX_DIMS] = {0}, to = 0;                          \
  for (int i = 0; i < (out)->ndim; i++) {                                                          \
    n_[lead + i] = (size_t)(out)->shape[i];                                                        \
    s_[lead + i] = (step)[i];                                                                      \
  }                                                                                                \
  for (size_t i0 = 0; i0 < n_[0]; i0++)                                                            \
    for (size_t i1 = 0; i1 < n_[1]; i1++)                                                          \
      for (size_t i2 = 0; i2 < n_[2]; i2++) {                                                      \
        const size_t from = i0 * s_[0] + i1 * s_[1] + i2 * s_[2];                                  \
        if (s_[3] == 1)                                                                            \
          for (size_t i = 0; i < n_[3]; i++) {                                                     \
            const size_t at = from + i;                                                            \
            STATEMENT;                                                                             \
          }                                                                                        \
        else                                                                                       \
          for (size_t i = 0; i < n_[3]; i++) {                                                     \
            const size_t at = from + i * s_[3];                                                    \
            STATEMENT;                                                                             \
          }                                                                                        \
        to += n_[3];                                                                               \
      }

void ssk_forward_permute(struct ssk_call *call) {
  size_t step[SSK_MAX_DIMS];
  permuted_steps(call, step);
  const ssk_real *restrict x = call->in[0]->data;
  ssk_real *restrict y = call->out->data;
  PERMUTED(call->out, step, y[to + i] = x[at])
}
void ssk_backward_permute(struct ssk_call *call) {
  size_t step[SSK_MAX_DIMS];
  permuted_steps(call, step);
  const ssk_real *restrict dy = call->out->grad;
  ssk_real *restrict dx = call->in[0]->grad;
  PERMUTED(call->out, step, dx[at] += dy[to + i])
}

/* ---- repeat: each entry of an axis n times in a row ----------------------------------------- */

struct repeat {
  int axis, n;
};

int ssk_shape_repeat(struct ssk_call *call, int *ndim, int *shape) {
  const struct repeat *repeat = call->attr;
  const ssk_tensor *x = call->in[0];
  if (repeat->axis < 0 || repeat->axis >= x->ndim)
    return ssk_misfit(call, "no axis %d in a tensor of shape %s", repeat->axis, SSK_SHOW(x));
  ssk_shape_same(call, ndim, shape);
  if (repeat->n < 1 || shape[repeat->axis] > INT32_MAX / repeat->n)
    return ssk_misfit(call, "cannot repeat %d times", repeat->n);
  shape[repeat->axis] *= repeat->n;
  return SSK_OK;
}
void ssk_forward_repeat(struct ssk_call *call) {
  const struct repeat *repeat = call->attr;
  const struct split s = split_at(call->in[0], repeat->axis);
  const size_t n = (size_t)repeat->n;
  for (size_t k = 0; k < n; k++)
    copy_runs(s.outer * s.n, s.inner, call->in[0]->data, s.inner, call->out->data + k * s.inner,
              n * s.inner);
}
void ssk_backward_repeat(struct ssk_call *call) {
  const struct repeat *repeat = call->attr;
  const struct split s = split_at(call->in[0], repeat->axis);
  const size_t n = (size_t)repeat->n;
  if (s.inner == 1) {
    ssk_add_row_sums(s.outer * s.n, n, 1, call->out->grad, call->in[0]->grad);
    return;
  }
  for (size_t r = 0; r < s.outer * s.n; r++)
    ssk_add_column_sums(n, s.inner, 1, call->out->grad + r * n * s.inner,
                        call->in[0]->grad + r * s.inner);
}

/* ---- gather: chosen entries of the first axis ------------------------------------------------ */

struct chosen {
  int n;
  const int *index;
};

int ssk_shape_gather(struct ssk_call *call, int *ndim, int *shape) {
  const struct chosen *chosen = call->attr;
  ssk_shape_same(call, ndim, shape);
  if (*ndim < 1 || chosen->n < 1)
    return ssk_misfit(call, "%d entries of a tensor of shape %s", chosen->n, SSK_SHOW(call->in[0]));
  for (int i = 0; i < chosen->n; i++)
    if (chosen->index[i] < 0 || chosen->index[i] >= shape[0])
      return ssk_misfit(call, "entry %d of an axis of %d", chosen->index[i], shape[0]);
  shape[0] = chosen->n;
  return SSK_OK;
}
void ssk_forward_gather(struct ssk_call *call) {
  const struct chosen *chosen = call->attr;
  const size_t each = call->out->count / (size_t)chosen->n;
  for (size_t i = 0; i < (size_t)chosen->n; i++)
    memcpy(call->out->data + i * each, call->in[0]->data + (size_t)chosen->index[i] * each,
           each * sizeof *call->out->data);
}
void ssk_backward_gather(struct ssk_call *call) {
  const struct chosen *chosen = call->attr;
  const size_t each = call->out->count / (size_t)chosen->n;
  for (size_t i = 0; i < (size_t)chosen->n; i++)
    ssk_add_scaled(each, 1, call->out->grad + i * each,
                   call->in[0]->grad + (size_t)chosen->index[i] * each);
}
ssk_tensor *ssk_gather(ssk_tape *tape, ssk_tensor *x, int n, const int *index) {
  int *copy = ssk_tape_scratch(tape, (size_t)(n > 0 ? n : 1) * sizeof *copy);
  if (!copy)
    return ssk_tape_fail(tape, SSK_ENOMEM, "operation 'gather': no memory");
  for (int i = 0; i < n; i++)
    copy[i] = index[i];
  const struct chosen chosen = {.n = n, .index = copy};
  return ssk_apply_op(tape, SSK_OP_gather, SSK_INPUTS(x), &chosen, sizeof chosen);
}

/* ---- flip: the first axis backwards, or as much of it as each entry of the second has -------- */

struct lengths {
  const int *of; /* NULL: all of the axis */
};

void ssk_forward_flip(struct ssk_call *call) {
  const struct lengths *length = call->attr;
  const ssk_tensor *x = call->in[0];
  const size_t T = (size_t)x->shape[0], B = length->of ? (size_t)x->shape[1] : 1;
  const size_t n = x->count / (T * B);
  for (size_t t = 0; t < T; t++)
    for (size_t b = 0; b < B; b++) {
      const size_t end = length->of ? (size_t)length->of[b] : T;
      const size_t from = t < end ? end - 1 - t : t;
      memcpy(call->out->data + (t * B + b) * n, x->data + (from * B + b) * n, n * sizeof *x->data);
    }
}
void ssk_backward_flip(struct ssk_call *call) {
  const struct lengths *length = call->attr;
  const ssk_tensor *x = call->in[0];
  const size_t T = (size_t)x->shape[0], B = length->of ? (size_t)x->shape[1] : 1;
  const size_t n = x->count / (T * B);
  for (size_t t = 0; t < T; t++)
    for (size_t b = 0; b < B; b++) {
      const size_t end = length->of ? (size_t)length->of[b] : T;
      const size_t from = t < end ? end - 1 - t : t;
      ssk_add_scaled(n, 1, call->out->grad + (t * B + b) * n, x->grad + (from * B + b) * n);
    }
}

/* ---- public --------------------------------------------------------------------------------- */

ssk_tensor *ssk_cols(ssk_tape *tape, ssk_tensor *x, int from, int n) {
  return ssk_activate_cols(tape, x, from, n, SSK_LINEAR);
}
ssk_tensor *ssk_activate_cols(ssk_tape *tape, ssk_tensor *x, int from, int n, enum ssk_act act) {
  const struct range range = {.from = from, .n = n, .act = act};
  return ssk_apply_op(tape, SSK_OP_cols, SSK_INPUTS(x), &range, sizeof range);
}

/* The list is copied to the arena: it must outlive the call, and may be longer than call->in. */
ssk_tensor *ssk_concat(ssk_tape *tape, int n, ssk_tensor *const *xs, int axis) {
  if (n < 1)
    return ssk_tape_fail(tape, SSK_EUSAGE, "operation 'concat': nothing to join");
  ssk_tensor **list = ssk_tape_scratch(tape, (size_t)n * sizeof(ssk_tensor *));
  if (!list)
    return ssk_tape_fail(tape, SSK_ENOMEM, "operation 'concat': no memory");
  for (int i = 0; i < n; i++)
    list[i] = xs[i];
  const int from_first = axis < 0 && xs[0] ? axis + xs[0]->ndim : axis;
  const struct concat attr = {.axis = from_first, .n = n, .inputs = list};
  return ssk_apply_op(tape, SSK_OP_concat, n, list, &attr, sizeof attr);
}

ssk_tensor *ssk_stack(ssk_tape *tape, int n, ssk_tensor *const *xs) {
  if (n < 1 || !xs[0] || ssk_is_empty(xs[0]))
    return n < 1 || !xs[0] ? ssk_concat(tape, n, xs, 0) : xs[0];
  const ssk_tensor *first = xs[0];
  if (first->ndim == SSK_MAX_DIMS)
    return ssk_tape_fail(tape, SSK_EUSAGE, "cannot stack tensors of %d axes", SSK_MAX_DIMS);
  for (int i = 1; i < n; i++)
    if (xs[i] && !ssk_is_empty(xs[i]) && !ssk_same_shape(first, xs[i]))
      return ssk_tape_fail(tape, SSK_EUSAGE, "cannot stack shapes %s and %s", SSK_SHOW(first),
                           SSK_SHOW(xs[i]));
  int shape[SSK_MAX_DIMS] = {n, first->shape[0], first->shape[1], first->shape[2]};
  const int ndim = first->ndim + 1;
  if (first->ndim > 0)
    return ssk_reshape(tape, ssk_concat(tape, n, xs, 0), ndim, shape);
  ssk_tensor **lines = ssk_tape_scratch(tape, (size_t)n * sizeof(ssk_tensor *));
  if (!lines)
    return ssk_tape_fail(tape, SSK_ENOMEM, "no memory to stack %d numbers", n);
  for (int i = 0; i < n; i++)
    lines[i] = xs[i] ? ssk_reshape(tape, xs[i], SSK_SHAPE(1)) : NULL;
  return ssk_concat(tape, n, lines, 0);
}

ssk_tensor *ssk_permute(ssk_tape *tape, ssk_tensor *x, const int *perm) {
  struct perm attr = {{0}};
  for (int i = 0; x && i < x->ndim; i++)
    attr.axis[i] = perm[i];
  return ssk_apply_op(tape, SSK_OP_permute, SSK_INPUTS(x), &attr, sizeof attr);
}

ssk_tensor *ssk_repeat(ssk_tape *tape, ssk_tensor *x, int axis, int n) {
  const struct repeat attr = {axis < 0 && x ? axis + x->ndim : axis, n};
  return ssk_apply_op(tape, SSK_OP_repeat, SSK_INPUTS(x), &attr, sizeof attr);
}

ssk_tensor *ssk_flip(ssk_tape *tape, ssk_tensor *x) {
  const struct lengths all = {0};
  return ssk_apply_op(tape, SSK_OP_flip, SSK_INPUTS(x), &all, sizeof all);
}
ssk_tensor *ssk_flip_each(ssk_tape *tape, ssk_tensor *x, const int *length) {
  if (ssk_tape_code(tape))
    return ssk_flip(tape, x);
  if (x->ndim < 2)
    return ssk_tape_fail(tape, SSK_EUSAGE, "operation 'flip': no second axis to have lengths");
  const int T = x->shape[0], B = x->shape[1];
  int *copy = ssk_tape_scratch(tape, (size_t)B * sizeof *copy);
  if (!copy)
    return ssk_tape_fail(tape, SSK_ENOMEM, "operation 'flip': no memory");
  for (int b = 0; b < B; b++) {
    if (length[b] < 0 || length[b] > T)
      return ssk_tape_fail(tape, SSK_EUSAGE, "operation 'flip': %d entries of an axis of %d",
                           length[b], T);
    copy[b] = length[b];
  }
  const struct lengths each = {.of = copy};
  return ssk_apply_op(tape, SSK_OP_flip, SSK_INPUTS(x), &each, sizeof each);
}
