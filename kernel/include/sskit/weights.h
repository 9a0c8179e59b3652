/* SPDX-License-Identifier: GPL-3.0-or-later */
/* weights.h - trained weights: declaring them, using them, and the layers that are built of them.
 *
 * All weights of a model lie in one flat vector with named slices. A component declares its weights
 * in `build` and keeps the handles in its struct; in a pass, ssk_use puts a weight on the tape.
 * Names are scoped ("model.transition.mean.hidden0.W"); initial values are random streams keyed by
 * that name, so that a weight starts equal in every recipe that has it. */
#ifndef SSKIT_WEIGHTS_H
#define SSKIT_WEIGHTS_H

#include <sskit/params.h>
#include <sskit/tape.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ssk_builder ssk_builder;
struct ssk_ctx;
struct ssk_weights;

/* Handle of a declared weight; 0 is "none", so a zeroed struct has no weights. */
typedef int ssk_weight;

/* The parts of a model, in the order of the data's way through it. */
enum ssk_part {
  SSK_PART_SUMMARY,
  SSK_PART_ENCODER,
  SSK_PART_EMISSION,
  SSK_PART_INITIAL,
  SSK_PART_TRANSITION,
  SSK_PART_OBJECTIVE, /* what an objective keeps across steps */
  SSK_PART_COUNT
};

/* Sets of them, by bits, as recipes name them: each has its learning rate and can be trained while
 * others rest. The summary belongs to the encoder. */
enum ssk_parts {
  SSK_PARTS_ENCODER = 1 << SSK_PART_SUMMARY | 1 << SSK_PART_ENCODER,
  SSK_PARTS_EMISSION = 1 << SSK_PART_EMISSION,
  SSK_PARTS_INITIAL = 1 << SSK_PART_INITIAL,
  SSK_PARTS_TRANSITION = 1 << SSK_PART_TRANSITION,
  SSK_PARTS_ALL = SSK_PARTS_ENCODER | SSK_PARTS_EMISSION | SSK_PARTS_INITIAL | SSK_PARTS_TRANSITION
};

enum ssk_init {
  SSK_INIT_ZERO,
  SSK_INIT_CONSTANT, /* every entry = gain */
  SSK_INIT_IDENTITY, /* gain on the diagonal of a matrix, the rest zero */
  SSK_INIT_XAVIER,   /* uniform +-gain*sqrt(6/(in+out)), Glorot and Bengio 2010 */
  SSK_INIT_KAIMING,  /* normal, deviation gain*sqrt(2/in), He et al. 2015 */
  SSK_INIT_NORMAL,   /* normal, deviation gain */
  SSK_INIT_UNIFORM, /* uniform +-gain/sqrt(in): PyTorch's default for linear and recurrent layers */
};

enum ssk_weight_flags {
  SSK_DECAY = 0,     /* the default: weight decay applies */
  SSK_NO_DECAY = 1,  /* biases, norms, embeddings, variance heads */
  SSK_STATISTIC = 2, /* not trained: a running statistic, see ssk_statistic */
};

/* Declare a weight. `in` and `out` of the initialisations are the product of all axes but the last,
 * and the last. Errors (a duplicate name, a bad shape) are sticky in the builder and end the build;
 * the handle is then 0. */
SSK_API ssk_weight ssk_declare(ssk_builder *b, const char *name, int ndim, const int *shape,
                               enum ssk_init init, double gain, unsigned flags);

/* Declare a running statistic of n values: saved with the weights, not trained. After each training
 * step the kernel sets it to decay*old + (1-decay)*batch, where batch is what the shards gave to
 * ssk_observe_statistic, summed in a fixed order. */
SSK_API ssk_weight ssk_statistic(ssk_builder *b, const char *name, int n, double start,
                                 double decay);
/* Give this shard's contribution: values must be the shard's mean; ctx->share is applied here. Once
 * a pass and statistic; does nothing outside training. */
SSK_API void ssk_observe_statistic(const struct ssk_ctx *ctx, ssk_weight w, const ssk_real *values);
/* Read a weight's current values outside the tape (borrowed, count entries). */
SSK_API const ssk_real *ssk_peek(const struct ssk_ctx *ctx, ssk_weight w);

/* Open and close a scope: names declared within get the prefix "<name>.". */
SSK_API void ssk_scope(ssk_builder *b, const char *format, ...) SSK_PRINTF(2, 3);
SSK_API void ssk_unscope(ssk_builder *b);

/* Open and close a span of the training, in fractions of its steps: what is declared within is
 * trained while from <= ctx->progress < to, and rests else as a frozen part does. Spans nest: each
 * lies within those around it. */
SSK_API void ssk_span(ssk_builder *b, double from, double to);
SSK_API void ssk_unspan(ssk_builder *b);

/* Fail the build with a reason; returns the code. */
SSK_API int ssk_build_fail(ssk_builder *b, int code, const char *format, ...) SSK_PRINTF(3, 4);
/* SSK_OK, or the first error's code: what `build` functions return at their end. */
SSK_API int ssk_build_code(const ssk_builder *b);

/* The weight on this pass's tape (one leaf a pass). NULL for handle 0, which layers take as "no
 * such weight". */
SSK_API ssk_tensor *ssk_use(const struct ssk_ctx *ctx, ssk_weight w);

/* ---- layers --------------------------------------------------------------------------------- */

/* act(x W + b). */
struct ssk_dense {
  ssk_weight W, b;
  enum ssk_act act;
};
SSK_API struct ssk_dense ssk_dense_build(ssk_builder *b, const char *name, int in, int out,
                                         enum ssk_act act, enum ssk_init init, double gain);
SSK_API ssk_tensor *ssk_dense_run(const struct ssk_ctx *ctx, struct ssk_dense layer, ssk_tensor *x);
/* act(x W + b + a), a of the result's shape. */
SSK_API ssk_tensor *ssk_dense_add(const struct ssk_ctx *ctx, struct ssk_dense layer, ssk_tensor *x,
                                  ssk_tensor *a);

/* A head: `layers` hidden SiLU layers of `hidden` units and a zero-initialised linear output, plus,
 * with `linear`, a zero-initialised linear path from the whole input to the output. So a head
 * starts as the zero function, and what is linear need not be learned through the network. layers
 * may be 0: then only the linear path is left, which is present in any case. */
struct ssk_head {
  int layers;
  struct ssk_dense in[8];
  struct ssk_dense out;
  ssk_weight path;
};
SSK_API struct ssk_head ssk_head_build(ssk_builder *b, const char *name, int in, int hidden,
                                       int layers, int out, bool linear);
SSK_API ssk_tensor *ssk_head_run(const struct ssk_ctx *ctx, const struct ssk_head *head,
                                 ssk_tensor *x);

/* How a network's raw output becomes a log variance: clamp(log(softplus(raw) + var_min),
 * logvar_min, logvar_max), and the log variance to start from. A component that has one writes
 * SSK_PARAM_VARIANCE into its table of rows, and calls ssk_variance_check in its `init`. */
struct ssk_variance {
  double var_min, logvar_min, logvar_max, logvar_start;
};
/* The four rows of a struct ssk_variance, the member `m` of S; `start` is a default, as text. */
#define SSK_PARAM_VARIANCE(S, m, start)                                                            \
  {.name = "var_min",                                                                              \
   .type = SSK_T_REAL,                                                                             \
   .offset = SSK_MEMBER_(S, m.var_min, double),                                                    \
   .default_text = "1e-6",                                                                         \
   .min = 1e-12,                                                                                   \
   .max = 1,                                                                                       \
   .doc = "Added to the variance: logvar = log(softplus(raw) + var_min)."},                        \
      {.name = "logvar_min",                                                                       \
       .type = SSK_T_REAL,                                                                         \
       .offset = SSK_MEMBER_(S, m.logvar_min, double),                                             \
       .default_text = "-10",                                                                      \
       .min = -30,                                                                                 \
       .max = 30,                                                                                  \
       .unit = "nats",                                                                             \
       .doc = "Lower clamp of the log variance."},                                                 \
      {.name = "logvar_max",                                                                       \
       .type = SSK_T_REAL,                                                                         \
       .offset = SSK_MEMBER_(S, m.logvar_max, double),                                             \
       .default_text = "6",                                                                        \
       .min = -30,                                                                                 \
       .max = 30,                                                                                  \
       .unit = "nats",                                                                             \
       .doc = "Upper clamp of the log variance."},                                                 \
  {                                                                                                \
    .name = "logvar_start", .type = SSK_T_REAL, .offset = SSK_MEMBER_(S, m.logvar_start, double),  \
    .default_text = start, .min = -30, .max = 30, .unit = "nats",                                  \
    .doc = "Log variance that training starts from."                                               \
  }
/* SSK_OK, or say in err which of the four do not fit together. */
SSK_API int ssk_variance_check(const struct ssk_variance *v, ssk_err *err);
/* The raw value whose log variance is logvar_start. */
SSK_API double ssk_variance_raw(const struct ssk_variance *v);
/* The log variance of raw values (ssk_logvar with these limits). */
SSK_API ssk_tensor *ssk_variance_log(ssk_tape *tape, ssk_tensor *raw, const struct ssk_variance *v);

/* A head with two outputs, the moments of a diagonal Gaussian of `out` dimensions: hidden SiLU
 * layers, output and linear path as in ssk_head. Starts as N(0, exp(logvar_start)) whatever its
 * input. The output layer, being a variance head, is not decayed. */
struct ssk_gaussian_head {
  int layers, inputs, outputs, hidden;
  struct ssk_dense in[8];
  ssk_weight W, path, mean_bias, raw_bias;
};
SSK_API struct ssk_gaussian_head ssk_gaussian_head_build(ssk_builder *b, const char *name, int in,
                                                         int hidden, int layers, int out,
                                                         const struct ssk_variance *v);
SSK_API struct ssk_gaussian ssk_gaussian_head_run(const struct ssk_ctx *ctx,
                                                  const struct ssk_gaussian_head *head,
                                                  const struct ssk_variance *v, ssk_tensor *x);
/* The same in two parts, for recursions: the head's input is [now, later], and what depends on
 * `later` is computed for many rows at once: prepared [.., hidden + 2*out], or [.., 2*out] without
 * layers. finish(now, prepare(later)) equals run([now, later]); now may be NULL, where nothing
 * depends on it. */
SSK_API ssk_tensor *ssk_gaussian_head_prepare(const struct ssk_ctx *ctx,
                                              const struct ssk_gaussian_head *head,
                                              ssk_tensor *later);
SSK_API struct ssk_gaussian ssk_gaussian_head_finish(const struct ssk_ctx *ctx,
                                                     const struct ssk_gaussian_head *head,
                                                     const struct ssk_variance *v, ssk_tensor *now,
                                                     ssk_tensor *prepared);

/* n GRU layers, [T, N, in] -> [T, N, hidden]. */
struct ssk_gru_stack {
  int layers;
  struct {
    ssk_weight Wx, Wh, bx, bh;
  } layer[8];
};
SSK_API struct ssk_gru_stack ssk_gru_stack_build(ssk_builder *b, const char *name, int in,
                                                 int hidden, int layers);
SSK_API ssk_tensor *ssk_gru_stack_run(const struct ssk_ctx *ctx, const struct ssk_gru_stack *gru,
                                      ssk_tensor *x);
/* The same from a state [N, n * hidden] on, that of all layers side by side; *next is that after
 * the last of these steps. */
SSK_API ssk_tensor *ssk_gru_stack_run_part(const struct ssk_ctx *ctx,
                                           const struct ssk_gru_stack *gru, ssk_tensor *x,
                                           ssk_tensor *state, ssk_tensor **next);

/* n residual blocks x + dense(silu(conv(x))) with kernel k and dilations 1, 2, 4, ...; width kept.
 */
struct ssk_conv_stack {
  int blocks;
  struct {
    ssk_weight W, b;
    struct ssk_dense out;
  } block[8];
};
SSK_API struct ssk_conv_stack ssk_conv_stack_build(ssk_builder *b, const char *name, int width,
                                                   int kernel, int blocks);
SSK_API ssk_tensor *ssk_conv_stack_run(const struct ssk_ctx *ctx, const struct ssk_conv_stack *conv,
                                       ssk_tensor *x, bool causal);

/* n pre-norm transformer blocks (Xiong et al. 2020) with GELU along the axis L of [L, N, C] or
 * [A, L, N, C]; width kept and divisible by heads. */
struct ssk_transformer {
  int blocks, heads;
  struct {
    ssk_weight norm1_gain, norm1_bias, norm2_gain, norm2_bias;
    struct ssk_dense q, k, v, mix, up, down;
  } block[8];
};
SSK_API struct ssk_transformer ssk_transformer_build(ssk_builder *b, const char *name, int width,
                                                     int heads, int feed_forward, int blocks);
SSK_API ssk_tensor *ssk_transformer_run(const struct ssk_ctx *ctx,
                                        const struct ssk_transformer *net, ssk_tensor *x,
                                        bool causal);

/* Sinusoidal features of a value: for i < n/2 sin and cos of v * 10^(4i/(n/2-1)), side by side:
 * values [N] -> [N, n] (a constant). Source: CSDI, Tashiro et al. 2021, eq. 13. */
SSK_API ssk_tensor *ssk_sinusoidal(ssk_tape *tape, ssk_tensor *values, int n);

/* Time features: sin, then cos, of step * 10000^(-i/(F/2)), i < F/2, F even: the features that the
 * kernel gives as rows->time. n steps -> [n, F] (a constant). Vaswani et al. 2017, section 3.5. */
SSK_API ssk_tensor *ssk_time_features(ssk_tape *tape, int n, const int *steps, int F);
/* The features of `lag` steps before, from features [.., F]: a rotation of each pair. A constant.
 */
SSK_API ssk_tensor *ssk_time_before(ssk_tape *tape, const ssk_tensor *features, int lag);
/* Features of noise levels: values [U] -> [U, n], n even: sines, then cosines, of
 * value * highest^(i/(n/2 - 1)), i < n/2. A constant. CSDI (Tashiro et al. 2021, equation 13) has
 * highest = 10^4 for integer steps. */
SSK_API ssk_tensor *ssk_level_features(ssk_tape *tape, const ssk_tensor *values, int n,
                                       double highest);

#ifdef __cplusplus
}
#endif
#endif
