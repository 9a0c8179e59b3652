/* SPDX-License-Identifier: GPL-3.0-or-later */
/* layers_dense.c - layers without memory: dense layers, heads, Gaussian heads, sinusoidal features.
 *
 * A head is a SiLU network whose output layer starts at zero, beside a linear path that starts at
 * zero as well: it starts as the zero function, and what is linear in the input is learned at once
 * (the "zero-initialised residual" of Goyal et al. 2017 and of EDM's networks). Hidden layers start
 * as PyTorch's: uniform +-1/sqrt(inputs), weights and biases; random biases spread the kinks of the
 * units, without which a network of one input could not bend anywhere but at zero. */
#include <math.h>
#include <sskit/plugin.h>

#define MAX_LAYERS 8

/* ---- dense ---------------------------------------------------------------------------------- */

struct ssk_dense ssk_dense_build(ssk_builder *b, const char *name, int in, int out,
                                 enum ssk_act act, enum ssk_init init, double gain) {
  struct ssk_dense layer = {.act = act};
  ssk_scope(b, "%s", name);
  layer.W = ssk_declare(b, "W", SSK_SHAPE(in, out), init, gain, SSK_DECAY);
  if (init == SSK_INIT_UNIFORM && in > 0)
    layer.b = ssk_declare(b, "b", SSK_SHAPE(out), SSK_INIT_UNIFORM, gain / sqrt(in), SSK_NO_DECAY);
  else
    layer.b = ssk_declare(b, "b", SSK_SHAPE(out), SSK_INIT_ZERO, 0, SSK_NO_DECAY);
  ssk_unscope(b);
  return layer;
}

ssk_tensor *ssk_dense_run(const struct ssk_ctx *ctx, struct ssk_dense layer, ssk_tensor *x) {
  return ssk_linear(ctx->tape, x, ssk_use(ctx, layer.W), ssk_use(ctx, layer.b), layer.act);
}

ssk_tensor *ssk_dense_add(const struct ssk_ctx *ctx, struct ssk_dense layer, ssk_tensor *x,
                          ssk_tensor *a) {
  return ssk_linear_add(ctx->tape, x, ssk_use(ctx, layer.W), ssk_use(ctx, layer.b), a, layer.act);
}

/* The hidden layers of a head: layer i is named hidden<i>. Writes at most MAX_LAYERS of them. */
static void hidden_build(ssk_builder *b, struct ssk_dense *layer, int in, int hidden, int layers) {
  if (layers < 0 || layers > MAX_LAYERS) {
    ssk_build_fail(b, SSK_EUSAGE, "a head has 0 to %d hidden layers, not %d", MAX_LAYERS, layers);
    return;
  }
  for (int i = 0; i < layers; i++) {
    char name[24];
    snprintf(name, sizeof name, "hidden%d", i);
    layer[i] = ssk_dense_build(b, name, i ? hidden : in, hidden, SSK_SILU, SSK_INIT_UNIFORM, 1);
  }
}

/* ---- heads ---------------------------------------------------------------------------------- */

struct ssk_head ssk_head_build(ssk_builder *b, const char *name, int in, int hidden, int layers,
                               int out, bool linear) {
  struct ssk_head head = {.layers = layers};
  ssk_scope(b, "%s", name);
  hidden_build(b, head.in, in, hidden, layers);
  head.out = ssk_dense_build(b, "out", layers ? hidden : in, out, SSK_LINEAR, SSK_INIT_ZERO, 0);
  if (linear && layers)
    head.path = ssk_declare(b, "path", SSK_SHAPE(in, out), SSK_INIT_ZERO, 0, SSK_DECAY);
  ssk_unscope(b);
  return head;
}

ssk_tensor *ssk_head_run(const struct ssk_ctx *ctx, const struct ssk_head *head, ssk_tensor *x) {
  ssk_tensor *h = x;
  for (int i = 0; i < head->layers; i++)
    h = ssk_dense_run(ctx, head->in[i], h);
  ssk_tensor *out = ssk_dense_run(ctx, head->out, h);
  if (head->path) {
    ssk_tensor *path = ssk_linear(ctx->tape, x, ssk_use(ctx, head->path), NULL, SSK_LINEAR);
    out = ssk_add(ctx->tape, out, path);
  }
  return out;
}

/* ---- variances ------------------------------------------------------------------------------ */

int ssk_variance_check(const struct ssk_variance *v, ssk_err *err) {
  if (v->logvar_min >= v->logvar_max)
    return ssk_err_set(err, SSK_ERECIPE, "logvar_min (%g) must be less than logvar_max (%g)",
                       v->logvar_min, v->logvar_max);
  if (v->logvar_start < v->logvar_min || v->logvar_start > v->logvar_max)
    return ssk_err_set(err, SSK_ERECIPE,
                       "logvar_start (%g) must lie between logvar_min (%g) and logvar_max (%g)",
                       v->logvar_start, v->logvar_min, v->logvar_max);
  if (exp(v->logvar_start) <= v->var_min)
    return ssk_err_set(err, SSK_ERECIPE, "logvar_start (%g) must be greater than log(var_min) (%g)",
                       v->logvar_start, log(v->var_min));
  return SSK_OK;
}

/* The inverse of softplus, y + log(1 - exp(-y)), which overflows nowhere. */
double ssk_variance_raw(const struct ssk_variance *v) {
  double y = exp(v->logvar_start) - v->var_min;
  return y + log(-expm1(-y));
}

ssk_tensor *ssk_variance_log(ssk_tape *tape, ssk_tensor *raw, const struct ssk_variance *v) {
  return ssk_logvar(tape, raw, (ssk_real)v->var_min, (ssk_real)v->logvar_min,
                    (ssk_real)v->logvar_max);
}

/* ---- Gaussian heads ------------------------------------------------------------------------- */

struct ssk_gaussian_head ssk_gaussian_head_build(ssk_builder *b, const char *name, int in,
                                                 int hidden, int layers, int out,
                                                 const struct ssk_variance *v) {
  struct ssk_gaussian_head head = {
      .layers = layers, .inputs = in, .outputs = out, .hidden = hidden};
  ssk_scope(b, "%s", name);
  hidden_build(b, head.in, in, hidden, layers);
  if (layers)
    head.W = ssk_declare(b, "W", SSK_SHAPE(hidden, 2 * out), SSK_INIT_ZERO, 0, SSK_NO_DECAY);
  head.path = ssk_declare(b, "path", SSK_SHAPE(in, 2 * out), SSK_INIT_ZERO, 0, SSK_NO_DECAY);
  head.mean_bias = ssk_declare(b, "mean_bias", SSK_SHAPE(out), SSK_INIT_ZERO, 0, SSK_NO_DECAY);
  head.raw_bias = ssk_declare(b, "raw_bias", SSK_SHAPE(out), SSK_INIT_CONSTANT, ssk_variance_raw(v),
                              SSK_NO_DECAY);
  ssk_unscope(b);
  return head;
}

/* [2*out]: the two biases as one. */
static ssk_tensor *output_bias(const struct ssk_ctx *ctx, const struct ssk_gaussian_head *head) {
  return ssk_concat(ctx->tape, 2,
                    (ssk_tensor *[]){ssk_use(ctx, head->mean_bias), ssk_use(ctx, head->raw_bias)},
                    -1);
}

/* The outputs [.., 2*out] are the means, then the raw variances. */
static struct ssk_gaussian split(const struct ssk_ctx *ctx, const struct ssk_gaussian_head *head,
                                 const struct ssk_variance *v, ssk_tensor *out) {
  int d = head->outputs;
  return (struct ssk_gaussian){
      .mean = ssk_cols(ctx->tape, out, 0, d),
      .logvar = ssk_variance_log(ctx->tape, ssk_cols(ctx->tape, out, d, d), v),
  };
}

struct ssk_gaussian ssk_gaussian_head_run(const struct ssk_ctx *ctx,
                                          const struct ssk_gaussian_head *head,
                                          const struct ssk_variance *v, ssk_tensor *x) {
  ssk_tensor *out =
      ssk_linear(ctx->tape, x, ssk_use(ctx, head->path), output_bias(ctx, head), SSK_LINEAR);
  if (head->layers) {
    ssk_tensor *h = x;
    for (int i = 0; i < head->layers; i++)
      h = ssk_dense_run(ctx, head->in[i], h);
    out = ssk_linear_add(ctx->tape, h, ssk_use(ctx, head->W), NULL, out, SSK_LINEAR);
  }
  return split(ctx, head, v, out);
}

/* [n, hidden + 2*out]: rows [from, from + n) of the first layer's weights and of the linear path
 * side by side: what takes the inputs to both in one product. */
static ssk_tensor *first_weights(const struct ssk_ctx *ctx, const struct ssk_gaussian_head *head,
                                 int from, int n) {
  ssk_tensor *path = ssk_rows(ctx->tape, ssk_use(ctx, head->path), from, n);
  if (!head->layers)
    return path;
  ssk_tensor *W = ssk_rows(ctx->tape, ssk_use(ctx, head->in[0].W), from, n);
  return ssk_concat(ctx->tape, 2, (ssk_tensor *[]){W, path}, -1);
}

ssk_tensor *ssk_gaussian_head_prepare(const struct ssk_ctx *ctx,
                                      const struct ssk_gaussian_head *head, ssk_tensor *later) {
  ssk_tape *tape = ctx->tape;
  int n = ssk_width(later), from = head->inputs - n;
  if (from < 0)
    return ssk_tape_fail(tape, SSK_EUSAGE, "gaussian head: cannot prepare %d of %d inputs", n,
                         head->inputs);
  ssk_tensor *bias = output_bias(ctx, head);
  if (head->layers)
    bias = ssk_concat(tape, 2, (ssk_tensor *[]){ssk_use(ctx, head->in[0].b), bias}, -1);
  return ssk_linear(tape, later, first_weights(ctx, head, from, n), bias, SSK_LINEAR);
}

struct ssk_gaussian ssk_gaussian_head_finish(const struct ssk_ctx *ctx,
                                             const struct ssk_gaussian_head *head,
                                             const struct ssk_variance *v, ssk_tensor *now,
                                             ssk_tensor *prepared) {
  ssk_tape *tape = ctx->tape;
  ssk_tensor *first = prepared;
  if (now)
    first = ssk_linear_add(tape, now, first_weights(ctx, head, 0, ssk_width(now)), NULL, prepared,
                           SSK_LINEAR);
  if (!head->layers)
    return split(ctx, head, v, first);
  ssk_tensor *h = ssk_activate_cols(tape, first, 0, head->hidden, head->in[0].act);
  for (int i = 1; i < head->layers; i++)
    h = ssk_dense_run(ctx, head->in[i], h);
  ssk_tensor *path = ssk_cols(tape, first, head->hidden, 2 * head->outputs);
  return split(ctx, head, v,
               ssk_linear_add(tape, h, ssk_use(ctx, head->W), NULL, path, SSK_LINEAR));
}

/* ---- features ------------------------------------------------------------------------------- */

ssk_tensor *ssk_sinusoidal(ssk_tape *tape, ssk_tensor *values, int n) {
  int N = (int)values->count, half = n / 2;
  if (half < 1)
    return ssk_tape_fail(tape, SSK_EUSAGE, "sinusoidal features: width %d, need at least 2", n);
  ssk_tensor *frequency = ssk_empty(tape, SSK_SHAPE(half));
  for (int i = 0; i < (int)frequency->count; i++)
    frequency->data[i] = (ssk_real)pow(10, half > 1 ? 4.0 * i / (half - 1) : 0);
  ssk_tensor *column = ssk_reshape(tape, ssk_stop(tape, values), SSK_SHAPE(N, 1));
  ssk_tensor *angle = ssk_mul(tape, column, frequency);
  ssk_tensor *parts[3] = {ssk_sin(tape, angle), ssk_cos(tape, angle)};
  if (n % 2) /* an odd width ends with a zero */
    parts[2] = ssk_full(tape, SSK_SHAPE(N, 1), 0);
  return ssk_concat(tape, n % 2 ? 3 : 2, parts, -1);
}
