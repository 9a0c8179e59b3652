/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tape.h - tensors, and operations with reverse-mode gradients.
 *
 * The tape is eager: an operation computes its result at once and notes how to go back. Tensors
 * live in the tape's arena and are freed together by ssk_tape_reset: nobody frees a tensor. A tape
 * belongs to one thread at a time.
 *
 * Layout: row-major, at most SSK_MAX_DIMS axes. Sequences are time-major slabs [T, rows, features],
 * so that whatever does not recur is one matrix product over T*rows. Weights are stored
 * [inputs, outputs]. "Rows" below means the product of all axes but the last.
 *
 * Errors are sticky: an operation whose inputs do not fit describes itself in the tape's ssk_err,
 * and returns an empty tensor (count 0, data not NULL); operations on it do nothing and return it.
 * So model code needs no checks; the kernel looks at ssk_tape_code once a pass.
 *
 * Broadcasting, where it is said to be allowed, follows the usual rule: shapes are aligned at the
 * last axis, and an axis of length 1 (or missing) is repeated. */
#ifndef SSKIT_TAPE_H
#define SSKIT_TAPE_H

#include <sskit/err.h>
#include <sskit/rng.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef SSK_DOUBLE
typedef double ssk_real;
#else
typedef float ssk_real;
#endif

#define SSK_MAX_DIMS 4

typedef struct ssk_tape ssk_tape;

/* A tensor. Read-only for plugins, but for the data of tensors that they have just created. */
typedef struct ssk_tensor {
  int ndim;                /* 0 (a scalar, count 1) to SSK_MAX_DIMS */
  int shape[SSK_MAX_DIMS]; /* entries from ndim on are 1 */
  size_t count;            /* product of the shape */
  ssk_real *data;          /* contiguous, 64-byte aligned unless it is a view */
  ssk_real *grad;  /* d loss / d data: a leaf's, or while ssk_backward needs it; else NULL */
  bool needs_grad; /* some weight or leaf above it has a gradient */
  struct ssk_tensor *base; /* the tensor it is a view of, or NULL; views share data and grad */
} ssk_tensor;

/* Length of the last axis (1 for scalars), and count divided by it. */
static inline int ssk_width(const ssk_tensor *x) {
  return x->ndim ? x->shape[x->ndim - 1] : 1;
}
static inline int ssk_height(const ssk_tensor *x) {
  return x->count ? (int)(x->count / (size_t)ssk_width(x)) : 0;
}

/* ---- the tape ------------------------------------------------------------------------------- */

/* A new tape that reports to `err` (borrowed; may be NULL). NULL without memory. */
SSK_API ssk_tape *ssk_tape_new(ssk_err *err);
SSK_API void ssk_tape_free(ssk_tape *tape);
/* Forget all tensors and the sticky error, keep the memory for the next pass. */
SSK_API void ssk_tape_reset(ssk_tape *tape);
/* SSK_OK, or the code of the first failed operation since the last reset. */
SSK_API int ssk_tape_code(const ssk_tape *tape);
/* Make the tape fail from plugin code: sets the sticky error and returns the empty tensor. */
SSK_API ssk_tensor *ssk_tape_fail(ssk_tape *tape, int code, const char *format, ...)
    SSK_PRINTF(3, 4);
/* Switch recording off (evaluation, sampling: less memory, no gradients) or on; returns the former
 * state. A new tape records. */
SSK_API bool ssk_tape_record(ssk_tape *tape, bool on);
/* Remember a place in the arena, and free everything made since: tensors, scratch memory, recorded
 * operations, gradients. Weights (ssk_use) stay. Marks nest. */
SSK_API size_t ssk_tape_mark(const ssk_tape *tape);
SSK_API void ssk_tape_rewind(ssk_tape *tape, size_t mark);
/* Scratch memory in the arena, 64-byte aligned, not initialised, freed by reset or rewind. */
SSK_API void *ssk_tape_scratch(ssk_tape *tape, size_t bytes);
/* Peak bytes in use since the tape was made, and number of recorded operations now. */
SSK_API size_t ssk_tape_peak(const ssk_tape *tape);
SSK_API size_t ssk_tape_length(const ssk_tape *tape);
/* Reverse pass: sets d loss / d loss = `seed` (the loss is a scalar) and adds into the grad of
 * every leaf that has one. The gradients of results share memory and are gone afterwards. Once,
 * until a reset, or a rewind to before the first recorded operation. */
SSK_API int ssk_backward(ssk_tape *tape, ssk_tensor *loss, ssk_real seed);
/* The same from n results of any shape, whose gradients seeds[i] (count of results[i]) are known:
 * a product of their Jacobian with a vector. Results without needs_grad are passed over. */
SSK_API int ssk_backward_from(ssk_tape *tape, int n, ssk_tensor *const *results,
                              const ssk_real *const *seeds);

/* ---- leaves --------------------------------------------------------------------------------- */

/* A constant with uninitialised data for the caller to fill. */
SSK_API ssk_tensor *ssk_empty(ssk_tape *tape, int ndim, const int *shape);
/* Constants: copied from `data`, or filled with `value`. */
SSK_API ssk_tensor *ssk_const(ssk_tape *tape, int ndim, const int *shape, const ssk_real *data);
SSK_API ssk_tensor *ssk_full(ssk_tape *tape, int ndim, const int *shape, ssk_real value);
/* A leaf over memory of the caller, which must outlive the pass: reads `data`, and where `grad` is
 * not NULL, ssk_backward adds into it. This is how weights enter a tape. */
SSK_API ssk_tensor *ssk_leaf(ssk_tape *tape, int ndim, const int *shape, ssk_real *data,
                             ssk_real *grad);
/* The same with the header, too, in memory of the caller: it outlives ssk_tape_rewind. The shape is
 * taken as it is. */
SSK_API void ssk_leaf_at(ssk_tensor *leaf, int ndim, const int *shape, ssk_real *data,
                         ssk_real *grad);
/* Constants of standard normal, or uniform (0,1), draws from `rng`. */
SSK_API ssk_tensor *ssk_normal(ssk_tape *tape, int ndim, const int *shape, ssk_rng *rng);
SSK_API ssk_tensor *ssk_uniform(ssk_tape *tape, int ndim, const int *shape, ssk_rng *rng);
/* The same data, cut off from the gradient. A view. */
SSK_API ssk_tensor *ssk_stop(ssk_tape *tape, ssk_tensor *x);

/* Shape literals: ssk_full(tape, SSK_SHAPE(n, d), 0). */
#define SSK_SHAPE(...)                                                                             \
  (int)(sizeof((int[]){__VA_ARGS__}) / sizeof(int)), (const int[]) {                               \
    __VA_ARGS__                                                                                    \
  }

/* ---- elementwise ---------------------------------------------------------------------------- */

/* With broadcasting of either side. */
SSK_API ssk_tensor *ssk_add(ssk_tape *tape, ssk_tensor *a, ssk_tensor *b);
SSK_API ssk_tensor *ssk_sub(ssk_tape *tape, ssk_tensor *a, ssk_tensor *b);
SSK_API ssk_tensor *ssk_mul(ssk_tape *tape, ssk_tensor *a, ssk_tensor *b);
SSK_API ssk_tensor *ssk_div(ssk_tape *tape, ssk_tensor *a, ssk_tensor *b);
/* scale * x + shift */
SSK_API ssk_tensor *ssk_affine(ssk_tape *tape, ssk_tensor *x, ssk_real scale, ssk_real shift);

enum ssk_act {
  SSK_LINEAR,
  SSK_RELU,
  SSK_TANH,
  SSK_SIGMOID,
  SSK_SILU,
  SSK_GELU, /* tanh form */
  SSK_SOFTPLUS
};
SSK_API ssk_tensor *ssk_activate(ssk_tape *tape, ssk_tensor *x, enum ssk_act act);
SSK_API ssk_tensor *ssk_exp(ssk_tape *tape, ssk_tensor *x);
SSK_API ssk_tensor *ssk_log(ssk_tape *tape, ssk_tensor *x);
/* log(1 + x), accurate near 0 */
SSK_API ssk_tensor *ssk_log1p(ssk_tape *tape, ssk_tensor *x);
/* log Gamma(x), x > 0 (Student-t, Poisson) */
SSK_API ssk_tensor *ssk_lgamma(ssk_tape *tape, ssk_tensor *x);
SSK_API ssk_tensor *ssk_sqrt(ssk_tape *tape, ssk_tensor *x);
SSK_API ssk_tensor *ssk_square(ssk_tape *tape, ssk_tensor *x);
SSK_API ssk_tensor *ssk_sin(ssk_tape *tape, ssk_tensor *x);
SSK_API ssk_tensor *ssk_cos(ssk_tape *tape, ssk_tensor *x);
/* min(max(x, lo), hi); the gradient is zero outside. */
SSK_API ssk_tensor *ssk_clamp(ssk_tape *tape, ssk_tensor *x, ssk_real lo, ssk_real hi);

/* ---- shape ---------------------------------------------------------------------------------- */

/* View with another shape of the same count. */
SSK_API ssk_tensor *ssk_reshape(ssk_tape *tape, ssk_tensor *x, int ndim, const int *shape);
/* View: entries [from, from+n) of the first axis. */
SSK_API ssk_tensor *ssk_rows(ssk_tape *tape, ssk_tensor *x, int from, int n);
/* Copy: entries [from, from+n) of the last axis. */
SSK_API ssk_tensor *ssk_cols(ssk_tape *tape, ssk_tensor *x, int from, int n);
/* act of these entries. */
SSK_API ssk_tensor *ssk_activate_cols(ssk_tape *tape, ssk_tensor *x, int from, int n,
                                      enum ssk_act act);
/* Join n tensors along `axis` (negative: from the last, -1); the other axes agree. */
SSK_API ssk_tensor *ssk_concat(ssk_tape *tape, int n, ssk_tensor *const *xs, int axis);
/* Join along a new first axis. */
SSK_API ssk_tensor *ssk_stack(ssk_tape *tape, int n, ssk_tensor *const *xs);
/* out axis i is x axis perm[i]. */
SSK_API ssk_tensor *ssk_permute(ssk_tape *tape, ssk_tensor *x, const int *perm);
/* Repeat each entry of `axis` n times in a row: [a, b] -> [a, a, b, b]. */
SSK_API ssk_tensor *ssk_repeat(ssk_tape *tape, ssk_tensor *x, int axis, int n);
/* Entries index[0], ..., index[n-1] of the first axis, of which some may come several times; index
 * is copied. */
SSK_API ssk_tensor *ssk_gather(ssk_tape *tape, ssk_tensor *x, int n, const int *index);
/* Reverse the first axis. */
SSK_API ssk_tensor *ssk_flip(ssk_tape *tape, ssk_tensor *x);
/* Of x [T, B, ..], for each b: reverse the first length[b] (0...T) entries of the first axis, and
 * leave the rest where they are. length is copied. */
SSK_API ssk_tensor *ssk_flip_each(ssk_tape *tape, ssk_tensor *x, const int *length);

/* ---- reductions ----------------------------------------------------------------------------- */

/* Sum over one axis (removed) / over everything (a scalar). Accumulated in a fixed order. */
SSK_API ssk_tensor *ssk_sum(ssk_tape *tape, ssk_tensor *x, int axis);
SSK_API ssk_tensor *ssk_sum_all(ssk_tape *tape, ssk_tensor *x);
SSK_API ssk_tensor *ssk_mean_all(ssk_tape *tape, ssk_tensor *x);
/* Over the last axis (removed) / along it (kept); safe against overflow. */
SSK_API ssk_tensor *ssk_logsumexp(ssk_tape *tape, ssk_tensor *x);
SSK_API ssk_tensor *ssk_softmax(ssk_tape *tape, ssk_tensor *x);

/* ---- layers --------------------------------------------------------------------------------- */

/* act(x W + b): x [.., I], W [I, O], b [O] or NULL -> [.., O]. One matrix product. */
SSK_API ssk_tensor *ssk_linear(ssk_tape *tape, ssk_tensor *x, ssk_tensor *W, ssk_tensor *b,
                               enum ssk_act act);
/* act(x W + b + a), a [.., O] or NULL: a residual, or a part of the sum that is known already. */
SSK_API ssk_tensor *ssk_linear_add(ssk_tape *tape, ssk_tensor *x, ssk_tensor *W, ssk_tensor *b,
                                   ssk_tensor *a, enum ssk_act act);
/* Feature-wise modulation (FiLM: Perez et al., AAAI 2018) by rows of a table:
 * act((x + given) * (1 + scale) + shift), x [n*M, C]; row i takes its scale and shift from columns
 * [from, from+C) and [from+C, from+2C) of row index[i] of the table [U, W]; given [n, C] or NULL is
 * repeated for the M rows of each of its own. `index` (n*M entries, borrowed until the tape is
 * reset) is checked by the caller. */
SSK_API ssk_tensor *ssk_film(ssk_tape *tape, ssk_tensor *x, ssk_tensor *table, ssk_tensor *given,
                             const int *index, int from, enum ssk_act act);
/* Sum over l of x[l] w[l] + b, by channels: x [L, N, C], w [L, C], b [C] -> [N, C]. */
SSK_API ssk_tensor *ssk_weighted_sum(ssk_tape *tape, ssk_tensor *x, ssk_tensor *w, ssk_tensor *b);
/* Batched product: a [N, M, K], b [N, K, P] -> [N, M, P]; either N may be 1. */
SSK_API ssk_tensor *ssk_bmm(ssk_tape *tape, ssk_tensor *a, ssk_tensor *b);
/* Of N matrices at once: the lower factor L [N, d, d] with A = L L', of which the lower triangles
 * are read, so that they alone get a gradient. Where A is not positive definite, L is nan. */
SSK_API ssk_tensor *ssk_cholesky(ssk_tape *tape, ssk_tensor *A);
/* L^{-1} b, or with `transposed` L^{-T} b, of lower triangles L [N, d, d] and b [N, d, m]. */
SSK_API ssk_tensor *ssk_solve_lower(ssk_tape *tape, ssk_tensor *L, ssk_tensor *b, bool transposed);
/* sigmoid(a) * tanh(b) of [.., 2C] = [a, b] -> [.., C] (WaveNet's gate). */
SSK_API ssk_tensor *ssk_gate(ssk_tape *tape, ssk_tensor *x);
/* A WaveNet block behind its mixing (van den Oord et al. 2016), as one operation that keeps nothing
 * for the way back but its inputs. Of y [.., I], with n rows:
 *     g = gate(y W + b + side),  x' = scale (x + g R + r),  skips' = skips + g S + s,
 * where state [1, n, O] is x, or [2, n, O] x and skips; the result [2, n, O] is x' and skips'.
 * Without R the block is the last: [1, n, O], skips'. side [.., K] or NULL has fewer rows, each of
 * which stands for as many neighbouring rows of y: its columns from `from` on are added to them. */
struct ssk_gated_layers {
  ssk_tensor *W, *b; /* [I, 2C], [2C] */
  ssk_tensor *S, *s; /* [C, O], [O] */
  ssk_tensor *R, *r; /* [C, O], [O], or NULL both */
};
SSK_API ssk_tensor *ssk_gated_residual(ssk_tape *tape, const struct ssk_gated_layers *layers,
                                       ssk_tensor *y, ssk_tensor *side, int from, ssk_tensor *state,
                                       ssk_real scale);
/* Layer normalisation over the last axis (Ba et al. 2016), eps 1e-5; gain and bias [C] or NULL. */
SSK_API ssk_tensor *ssk_layer_norm(ssk_tape *tape, ssk_tensor *x, ssk_tensor *gain,
                                   ssk_tensor *bias);
/* Whole-sequence GRU (Cho et al. 2014, reset after the product as in cuDNN): x [T, N, I],
 * Wx [I, 3H], Wh [H, 3H], bx and bh [3H], gates in the order reset, update, candidate;
 * h0 [N, H] or NULL (zeros) -> all states [T, N, H]. */
SSK_API ssk_tensor *ssk_gru(ssk_tape *tape, ssk_tensor *x, ssk_tensor *Wx, ssk_tensor *Wh,
                            ssk_tensor *bx, ssk_tensor *bh, ssk_tensor *h0);
/* Convolution along the first axis: x [L, N, I], W [k, I, O], b [O] or NULL -> [L, N, O]. Zero
 * padding; causal: tap k-1 sees the present, tap 0 the oldest; else centred (k odd). */
SSK_API ssk_tensor *ssk_conv(ssk_tape *tape, ssk_tensor *x, ssk_tensor *W, ssk_tensor *b,
                             int dilation, bool causal);
/* The same, one filter a channel: W [k, C]. */
SSK_API ssk_tensor *ssk_conv_depthwise(ssk_tape *tape, ssk_tensor *x, ssk_tensor *W, ssk_tensor *b,
                                       int dilation, bool causal);
/* A residual layer of depthwise-separable convolution, x + silu(conv_depthwise(x)) W + b, with W
 * [C, C]: as one operation that keeps nothing but x for the way back. */
SSK_API ssk_tensor *ssk_conv_separable(ssk_tape *tape, ssk_tensor *x, ssk_tensor *filter,
                                       ssk_tensor *filter_bias, ssk_tensor *W, ssk_tensor *b,
                                       int dilation, bool causal);
/* Scaled dot-product attention along the first axis, heads side by side in the last:
 * q, k, v [L, N, C], C divisible by heads -> [L, N, C]. causal: position l sees 0..l. */
SSK_API ssk_tensor *ssk_attention(ssk_tape *tape, ssk_tensor *q, ssk_tensor *k, ssk_tensor *v,
                                  int heads, bool causal);

/* One pre-norm transformer block (Xiong et al. 2020):
 *   x <- x + attention(norm1(x)) mix_W + mix_b,   x <- x + gelu(norm2(x) up_W + up_b) down_W +
 * down_b gains and biases [C], query_W, key_W, value_W, mix_W [C, C], up_W [C, H], down_W [H, C].
 */
struct ssk_transformer_block {
  ssk_tensor *norm1_gain, *norm1_bias;
  ssk_tensor *query_W, *query_b, *key_W, *key_b, *value_W, *value_b, *mix_W, *mix_b;
  ssk_tensor *norm2_gain, *norm2_bias, *up_W, *up_b, *down_W, *down_b;
};
/* The longest axis of the next operation. */
#define SSK_TRANSFORMER_POSITIONS 16
/* n of these blocks, one behind another, along the last axis but two, which is short, with C
 * divisible by heads: x [L, N, C] or [A, L, N, C] -> the same shape. One operation that keeps
 * little for the way back, and faster than its parts. All blocks have one H. */
SSK_API ssk_tensor *ssk_transformer_blocks(ssk_tape *tape, ssk_tensor *x, int n,
                                           const struct ssk_transformer_block *blocks, int heads,
                                           bool causal);

/* ---- densities ------------------------------------------------------------------------------ */

/* A diagonal Gaussian: mean and log variance, of one shape. */
struct ssk_gaussian {
  ssk_tensor *mean;
  ssk_tensor *logvar;
};

/* mean + exp(logvar/2) * eps */
SSK_API ssk_tensor *ssk_reparam(ssk_tape *tape, struct ssk_gaussian q, ssk_tensor *eps);
/* Sum over the last axis of mask * log N(x; mean, exp(logvar)) -> [..]; mask 0/1 of x's shape or
 * NULL (all ones). In nats, all constants included. x may need a gradient too. */
SSK_API ssk_tensor *ssk_gaussian_log_prob(ssk_tape *tape, ssk_tensor *x, struct ssk_gaussian p,
                                          ssk_tensor *mask);
/* Sum over the last axis of KL(q || p) -> [..], in nats. */
SSK_API ssk_tensor *ssk_gaussian_kl(ssk_tape *tape, struct ssk_gaussian q, struct ssk_gaussian p);
/* Variance head: clamp(log(softplus(raw) + var_min), lo, hi), fused. */
SSK_API ssk_tensor *ssk_logvar(ssk_tape *tape, ssk_tensor *raw, ssk_real var_min, ssk_real lo,
                               ssk_real hi);
/* w * ||f - y||^2 summed over the last axis -> [..]; w [..] (no gradient to it) or NULL. */
SSK_API ssk_tensor *ssk_weighted_error(ssk_tape *tape, ssk_tensor *f, ssk_tensor *y, ssk_tensor *w);

/* ---- operations of one's own ---------------------------------------------------------------- */

#define SSK_MAX_INPUTS 16

struct ssk_call {
  const struct ssk_op *op;
  ssk_tape *tape;
  int n;
  ssk_tensor *in[SSK_MAX_INPUTS]; /* absent optional inputs are NULL */
  ssk_tensor *out;
  const void *attr; /* the operation's own constants: a copy in the arena, or NULL */
  void *saved;      /* what forward keeps for backward: set it to ssk_tape_scratch memory */
  uint32_t fresh;   /* for backward of operations that set: see ssk_call_fresh */
  /* Forward of an operation that sets may say by bit i that the gradient of in[i], as large as out,
   * is out's own (a sum). A fresh one of them is then handed over without a copy: backward finds it
   * not wanted. */
  uint32_t hands_on;
};

/* An operation. Static const; all functions are pure but for their outputs. */
struct ssk_op {
  size_t size; /* sizeof(struct ssk_op) */
  const char *name;
  /* Write the output's shape; SSK_OK, or describe the misfit with ssk_tape_fail and return a code.
   */
  int (*shape)(struct ssk_call *call, int *ndim, int *shape);
  void (*forward)(struct ssk_call *call);  /* fill out->data */
  void (*backward)(struct ssk_call *call); /* add to in[i]->grad where in[i] and its grad are not
                                              NULL, from out->grad */
  /* [optional] backward asks ssk_call_fresh for every input and sets those gradients that are
   * fresh, all entries of them, instead of adding: saves clearing them first. */
  bool sets;
  /* [optional] For `sskit bench`: the floating-point operations, two a multiply-add, of the matrix
   * products that the mathematics needs, however they are computed: of forward, or (`back`) of the
   * gradients of those inputs that have needs_grad. NULL: there are no products in it. */
  double (*flops)(const struct ssk_call *call, bool back);
};

/* In backward: is in[i]->grad uninitialised memory that the operation has to set? */
static inline bool ssk_call_fresh(const struct ssk_call *call, int i) {
  return i < 32 && (call->fresh >> i & 1);
}

/* Apply `op` to n inputs; `attr` (attr_size bytes, may be NULL, 0) is copied. */
SSK_API ssk_tensor *ssk_apply(ssk_tape *tape, const struct ssk_op *op, int n,
                              ssk_tensor *const *inputs, const void *attr, size_t attr_size);

#ifdef __cplusplus
}
#endif
#endif
