/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tape.c - the eager tape: memory, sticky errors, applying operations, the reverse pass.
 *
 * Everything lies in one arena. An operation with a differentiable input leaves a node (its call);
 * the nodes form a list that ssk_backward walks from the newest to the oldest (reverse
 * accumulation, Griewank and Walther 2008, ch. 3). Gradients come from the same arena when they are
 * first needed; the gradient of a view is a part of its base's, so views need no node. */
#include "tensor/gemm.h"
#include "tensor/tape_internal.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

ssk_tape *ssk_tape_new(ssk_err *err) {
  ssk_gemm_prepare();
  ssk_tape *tape = calloc(1, sizeof *tape);
  if (!tape)
    return NULL;
  tape->err = err;
  tape->record = true;
  tape->empty = (ssk_tensor){.ndim = 1, .shape = {0, 1, 1, 1}, .data = tape->nothing};
  return tape;
}

void ssk_tape_free(ssk_tape *tape) {
  if (tape)
    ssk_arena_free(&tape->arena);
  free(tape);
}

void ssk_tape_reset(ssk_tape *tape) {
  ssk_arena_reset(&tape->arena);
  tape->code = SSK_OK;
  tape->went_back = false;
  tape->last = NULL;
  tape->length = 0;
}

int ssk_tape_code(const ssk_tape *tape) {
  return tape->code;
}

ssk_tensor *ssk_tape_fail(ssk_tape *tape, int code, const char *format, ...) {
  if (tape->code == SSK_OK) {
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    tape->code = code == SSK_OK ? SSK_EFAIL : code;
    if (tape->scope)
      ssk_err_set(tape->err, tape->code, "%s, in '%s'", message, tape->scope);
    else
      ssk_err_set(tape->err, tape->code, "%s", message);
  }
  return &tape->empty;
}

bool ssk_tape_record(ssk_tape *tape, bool on) {
  bool before = tape->record;
  tape->record = on;
  return before;
}

size_t ssk_tape_mark(const ssk_tape *tape) {
  return ssk_arena_mark(&tape->arena);
}

void ssk_tape_rewind(ssk_tape *tape, size_t mark) {
  while (tape->last && tape->last->at >= mark) {
    tape->last = tape->last->previous;
    tape->length--;
  }
  if (!tape->last)
    tape->went_back = false;
  ssk_arena_rewind(&tape->arena, mark);
}

void *ssk_tape_scratch(ssk_tape *tape, size_t bytes) {
  return ssk_arena_alloc(&tape->arena, bytes);
}

size_t ssk_tape_peak(const ssk_tape *tape) {
  return tape->arena.peak;
}

size_t ssk_tape_length(const ssk_tape *tape) {
  return tape->length;
}

struct ssk_shape_text ssk_shape_text(int ndim, const int *shape) {
  struct ssk_shape_text out = {"["};
  size_t used = 1;
  for (int i = 0; i < ndim && i < SSK_MAX_DIMS; i++)
    used += (size_t)snprintf(out.text + used, sizeof out.text - used, i ? ", %d" : "%d", shape[i]);
  snprintf(out.text + used, sizeof out.text - used, "]");
  return out;
}

static ssk_tensor *out_of_memory(ssk_tape *tape) {
  return ssk_tape_fail(tape, SSK_ENOMEM, "no memory for a tensor");
}

/* Check a shape and fill in everything but the data; NULL, and a sticky error, when it is wrong. */
static ssk_tensor *make_header(ssk_tape *tape, int ndim, const int *shape) {
  if (ndim < 0 || ndim > SSK_MAX_DIMS) {
    ssk_tape_fail(tape, SSK_EUSAGE, "a tensor of %d axes: at most %d are allowed", ndim,
                  SSK_MAX_DIMS);
    return NULL;
  }
  size_t count = 1;
  for (int i = 0; i < ndim; i++) {
    if (shape[i] < 1 || count > (size_t)1 << 40) {
      ssk_tape_fail(tape, SSK_EUSAGE, "a tensor cannot have the shape %s",
                    ssk_shape_text(ndim, shape).text);
      return NULL;
    }
    count *= (size_t)shape[i];
  }
  ssk_tensor *x = ssk_arena_alloc(&tape->arena, sizeof *x);
  if (!x) {
    out_of_memory(tape);
    return NULL;
  }
  *x = (ssk_tensor){.ndim = ndim, .shape = {1, 1, 1, 1}, .count = count};
  for (int i = 0; i < ndim; i++)
    x->shape[i] = shape[i];
  return x;
}

ssk_tensor *ssk_tensor_new(ssk_tape *tape, int ndim, const int *shape) {
  ssk_tensor *x = make_header(tape, ndim, shape);
  if (!x)
    return &tape->empty;
  x->data = ssk_arena_alloc(&tape->arena, x->count * sizeof *x->data);
  return x->data ? x : out_of_memory(tape);
}

ssk_tensor *ssk_view(ssk_tape *tape, ssk_tensor *x, size_t from, int ndim, const int *shape) {
  ssk_tensor *view = make_header(tape, ndim, shape);
  if (!view)
    return &tape->empty;
  view->data = x->data + from;
  view->base = x->base ? x->base : x;
  view->needs_grad = x->needs_grad;
  return view;
}

ssk_tensor *ssk_leaf(ssk_tape *tape, int ndim, const int *shape, ssk_real *data, ssk_real *grad) {
  ssk_tensor *leaf = make_header(tape, ndim, shape);
  if (!leaf)
    return &tape->empty;
  leaf->data = data;
  leaf->grad = grad;
  leaf->needs_grad = grad != NULL;
  return leaf;
}

void ssk_leaf_at(ssk_tensor *leaf, int ndim, const int *shape, ssk_real *data, ssk_real *grad) {
  *leaf = (ssk_tensor){.ndim = ndim,
                       .shape = {1, 1, 1, 1},
                       .count = 1,
                       .data = data,
                       .grad = grad,
                       .needs_grad = grad != NULL};
  for (int i = 0; i < ndim; i++) {
    leaf->shape[i] = shape[i];
    leaf->count *= (size_t)shape[i];
  }
}

/* The output tensor of a call, from the operation's shape rule. */
static ssk_tensor *make_output(struct ssk_call *call) {
  ssk_tape *tape = call->tape;
  int ndim = 0, shape[SSK_MAX_DIMS] = {1, 1, 1, 1};
  int code = call->op->shape(call, &ndim, shape);
  if (code == SSK_OK && tape->code == SSK_OK)
    return ssk_tensor_new(tape, ndim, shape);
  ssk_tape_fail(tape, code, "the inputs do not fit");
  ssk_err_context(tape->err, "operation '%s'", call->op->name);
  return &tape->empty;
}

ssk_tensor *ssk_apply_list(ssk_tape *tape, const struct ssk_op *op, int n,
                           ssk_tensor *const *inputs, const void *attr, size_t attr_size) {
  bool differentiable = false;
  if (tape->profile)
    ssk_profile_other(tape->profile, tape->scope, SSK_FORWARD);
  for (int i = 0; i < n; i++) {
    if (ssk_is_empty(inputs[i]))
      return &tape->empty;
    differentiable |= inputs[i] && inputs[i]->needs_grad;
  }
  if (tape->code != SSK_OK)
    return &tape->empty;

  bool keep = tape->record && differentiable;
  struct ssk_node passing, *node = &passing;
  size_t at = ssk_arena_mark(&tape->arena);
  if (keep && !(node = ssk_arena_alloc(&tape->arena, sizeof *node)))
    return out_of_memory(tape);
  *node = (struct ssk_node){.at = at,
                            .scope = tape->scope,
                            .n_inputs = n,
                            .inputs = n > SSK_MAX_INPUTS ? inputs : node->call.in,
                            .call = {.op = op, .tape = tape, .n = n, .attr = attr}};
  struct ssk_call *call = &node->call;
  for (int i = 0; i < n && i < SSK_MAX_INPUTS; i++)
    call->in[i] = inputs[i];
  if (keep && attr_size) {
    void *copy = ssk_arena_alloc(&tape->arena, attr_size);
    if (!copy)
      return out_of_memory(tape);
    call->attr = memcpy(copy, attr, attr_size);
  }
  call->out = make_output(call);
  if (ssk_is_empty(call->out))
    return &tape->empty;
  call->out->needs_grad = keep;
  op->forward(call);
  if (tape->profile)
    ssk_profile_node(tape->profile, node, SSK_FORWARD);
  if (tape->code != SSK_OK)
    return &tape->empty;
  if (keep) {
    node->previous = tape->last;
    tape->last = node;
    tape->length++;
  }
  return call->out;
}

ssk_tensor *ssk_apply(ssk_tape *tape, const struct ssk_op *op, int n, ssk_tensor *const *inputs,
                      const void *attr, size_t attr_size) {
  if (n < 0 || n > SSK_MAX_INPUTS)
    return ssk_tape_fail(tape, SSK_EUSAGE, "operation '%s' with %d inputs: at most %d are allowed",
                         op->name, n, SSK_MAX_INPUTS);
  return ssk_apply_list(tape, op, n, inputs, attr, attr_size);
}

/* Memory for a gradient: that of a tensor of the same size whose gradient has been passed on, while
 * it is still in the cache, or new. */
static ssk_real *gradient_memory(ssk_tape *tape, size_t count) {
  for (int i = tape->n_spare; i-- > 0;)
    if (tape->spare[i].count == count) {
      ssk_real *grad = tape->spare[i].grad;
      tape->spare[i] = tape->spare[--tape->n_spare];
      return grad;
    }
  return ssk_arena_alloc(&tape->arena, count * sizeof(ssk_real));
}

/* Nobody needs the gradient of an operation's result after its way back. Views of it were used, if
 * at all, by later operations. */
static void spare_gradient(ssk_tape *tape, ssk_tensor *out) {
  if (tape->n_spare < SSK_SPARE_GRADIENTS)
    tape->spare[tape->n_spare++] = (struct ssk_spare){out->count, out->grad};
  out->grad = NULL;
}

/* Give a tensor that needs one its gradient; false without memory. */
static bool ensure_gradient(ssk_tape *tape, ssk_tensor *x) {
  if (x->grad)
    return true;
  if (x->base) {
    if (!ensure_gradient(tape, x->base))
      return false;
    x->grad = x->base->grad + (x->data - x->base->data);
    return true;
  }
  x->grad = gradient_memory(tape, x->count);
  return x->grad && memset(x->grad, 0, x->count * sizeof *x->grad);
}

static const ssk_tensor *whole_of(const ssk_tensor *x) {
  return x->base ? x->base : x;
}

/* The last user of a tensor is the first on the way back: may it set the gradient of input i? Not
 * where the operation uses the tensor twice, nor for a view that is a part only. */
static bool may_set(const struct ssk_node *node, int i) {
  const ssk_tensor *x = node->inputs[i], *whole = whole_of(node->inputs[i]);
  if (whole->grad || whole->count != x->count || i >= 32)
    return false;
  for (int k = 0; k < node->n_inputs; k++)
    if (k != i && node->inputs[k] && whole_of(node->inputs[k]) == whole)
      return false;
  return true;
}

/* The gradient of a tensor, or of all of it by a view. */
static void set_gradient(ssk_tensor *x, ssk_real *grad) {
  for (; x; x = x->base)
    x->grad = grad;
}

/* Make the gradients of a node's inputs ready. *handed becomes the input that takes over the
 * gradient of the output, which nobody needs after this node, or stays NULL. */
static bool ready_gradients(ssk_tape *tape, struct ssk_node *node, ssk_tensor **handed) {
  struct ssk_call *call = &node->call;
  for (int i = 0; i < node->n_inputs; i++) {
    ssk_tensor *x = node->inputs[i];
    if (!x || !x->needs_grad)
      continue;
    if (!call->op->sets || !may_set(node, i)) {
      if (!ensure_gradient(tape, x))
        return false;
    } else if (i < 32 && (call->hands_on >> i & 1) && !*handed) {
      *handed = x;
    } else {
      set_gradient(x, gradient_memory(tape, x->count));
      if (!x->grad)
        return false;
      call->fresh |= (uint32_t)1 << i;
    }
  }
  return true;
}

/* Scratch memory that an operation takes on its way back is given up after it. */
static bool step_back(ssk_tape *tape, struct ssk_node *node) {
  ssk_tensor *handed = NULL;
  if (!ready_gradients(tape, node, &handed))
    return false;
  if (tape->profile)
    ssk_profile_work(tape->profile, node->scope, "clear gradients", SSK_BACKWARD, 0);
  size_t mark = ssk_arena_mark(&tape->arena);
  node->call.op->backward(&node->call);
  ssk_arena_rewind(&tape->arena, mark);
  if (handed)
    set_gradient(handed, node->call.out->grad);
  else
    spare_gradient(tape, node->call.out);
  if (tape->profile)
    ssk_profile_node(tape->profile, node, SSK_BACKWARD);
  return tape->code == SSK_OK;
}

int ssk_backward_from(ssk_tape *tape, int n, ssk_tensor *const *results,
                      const ssk_real *const *seeds) {
  if (tape->code == SSK_OK && tape->went_back)
    ssk_tape_fail(tape, SSK_EUSAGE, "a tape goes back once between resets");
  if (tape->code != SSK_OK)
    return tape->code;
  tape->went_back = true;
  tape->n_spare = 0;
  for (int i = 0; i < n; i++) {
    if (!results[i]->needs_grad)
      continue;
    if (!ensure_gradient(tape, results[i]))
      goto no_memory;
    for (size_t k = 0; k < results[i]->count; k++)
      results[i]->grad[k] += seeds[i][k];
  }
  if (tape->profile)
    ssk_profile_other(tape->profile, tape->scope, SSK_BACKWARD);
  for (struct ssk_node *node = tape->last; node; node = node->previous)
    if (node->call.out->grad && !step_back(tape, node))
      goto no_memory;
  return SSK_OK;
no_memory:
  ssk_tape_fail(tape, SSK_ENOMEM, "no memory for the gradients");
  return tape->code;
}

int ssk_backward(ssk_tape *tape, ssk_tensor *loss, ssk_real seed) {
  if (tape->code == SSK_OK && loss->count != 1)
    ssk_tape_fail(tape, SSK_EUSAGE, "the loss must be a scalar, not of shape %s", SSK_SHOW(loss));
  return ssk_backward_from(tape, 1, &loss, (const ssk_real *const[]){&seed});
}
