/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_layers.c - the layers that are built of weights: how they start, what they may see,
 * gradients.
 *
 * Each layer runs on an input that is itself declared as a weight, so that one loop over the flat
 * vector checks the gradients of input and weights alike. */
#include "model/store.h"
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <sskit/plugin.h>
#include <stdlib.h>
#include <string.h>

enum { T = 5, N = 3, IN = 4, OUT = 2 };

struct rig {
  struct ssk_arena arena;
  ssk_err *err;
  ssk_builder b;
  struct ssk_weights weights;
  ssk_real *gradient;
  struct ssk_ctx ctx;
  ssk_weight input; /* [T, N, IN] */
  struct ssk_dense dense;
  struct ssk_head head;
  struct ssk_gaussian_head gaussian;
  struct ssk_gru_stack gru;
  struct ssk_conv_stack conv;
  struct ssk_transformer transformer;
};

static const struct ssk_variance limits = {
    .var_min = 1e-4, .logvar_min = -8, .logvar_max = 8, .logvar_start = -1.5};

/* ---- the layers under test ------------------------------------------------------------------ */

static void build_dense(struct rig *r) {
  r->dense = ssk_dense_build(&r->b, "dense", IN, OUT, SSK_TANH, SSK_INIT_UNIFORM, 1);
}
static ssk_tensor *run_dense(struct rig *r, ssk_tensor *x) {
  return ssk_dense_run(&r->ctx, r->dense, x);
}

static void build_head(struct rig *r) {
  r->head = ssk_head_build(&r->b, "head", IN, 6, 2, OUT, true);
}
static void build_linear_head(struct rig *r) {
  r->head = ssk_head_build(&r->b, "head", IN, 6, 0, OUT, true);
}
static ssk_tensor *run_head(struct rig *r, ssk_tensor *x) {
  return ssk_head_run(&r->ctx, &r->head, x);
}

static ssk_tensor *side_by_side(struct rig *r, struct ssk_gaussian p) {
  return ssk_concat(r->ctx.tape, 2, (ssk_tensor *[]){p.mean, p.logvar}, -1);
}
static void build_gaussian(struct rig *r) {
  r->gaussian = ssk_gaussian_head_build(&r->b, "gaussian", IN, 6, 2, OUT, &limits);
}
static void build_linear_gaussian(struct rig *r) {
  r->gaussian = ssk_gaussian_head_build(&r->b, "gaussian", IN, 6, 0, OUT, &limits);
}
static ssk_tensor *run_gaussian(struct rig *r, ssk_tensor *x) {
  return side_by_side(r, ssk_gaussian_head_run(&r->ctx, &r->gaussian, &limits, x));
}
static ssk_tensor *run_gaussian_in_parts(struct rig *r, ssk_tensor *x) {
  ssk_tensor *now = ssk_cols(r->ctx.tape, x, 0, 1), *later = ssk_cols(r->ctx.tape, x, 1, IN - 1);
  ssk_tensor *prepared = ssk_gaussian_head_prepare(&r->ctx, &r->gaussian, later);
  return side_by_side(r, ssk_gaussian_head_finish(&r->ctx, &r->gaussian, &limits, now, prepared));
}

static void build_gru(struct rig *r) {
  r->gru = ssk_gru_stack_build(&r->b, "gru", IN, OUT, 2);
}
static ssk_tensor *run_gru(struct rig *r, ssk_tensor *x) {
  return ssk_gru_stack_run(&r->ctx, &r->gru, x);
}

static void build_conv(struct rig *r) {
  r->conv = ssk_conv_stack_build(&r->b, "conv", IN, 3, 2);
}
static ssk_tensor *run_conv(struct rig *r, ssk_tensor *x) {
  return ssk_conv_stack_run(&r->ctx, &r->conv, x, true);
}
static ssk_tensor *run_centred_conv(struct rig *r, ssk_tensor *x) {
  return ssk_conv_stack_run(&r->ctx, &r->conv, x, false);
}

static void build_transformer(struct rig *r) {
  r->transformer = ssk_transformer_build(&r->b, "transformer", IN, 2, 6, 2);
}
static ssk_tensor *run_transformer(struct rig *r, ssk_tensor *x) {
  return ssk_transformer_run(&r->ctx, &r->transformer, x, true);
}
static ssk_tensor *run_full_transformer(struct rig *r, ssk_tensor *x) {
  return ssk_transformer_run(&r->ctx, &r->transformer, x, false);
}

enum sight { POINT, PAST, EVERYWHERE }; /* what an output may see along the first axis */

static const struct layer {
  const char *name;
  enum sight sight;
  int width; /* of the output */
  void (*build)(struct rig *r);
  ssk_tensor *(*run)(struct rig *r, ssk_tensor *x);
} layers[] = {
    {"dense", POINT, OUT, build_dense, run_dense},
    {"head", POINT, OUT, build_head, run_head},
    {"linear head", POINT, OUT, build_linear_head, run_head},
    {"Gaussian head", POINT, 2 * OUT, build_gaussian, run_gaussian},
    {"linear Gaussian head", POINT, 2 * OUT, build_linear_gaussian, run_gaussian},
    {"Gaussian head in parts", POINT, 2 * OUT, build_gaussian, run_gaussian_in_parts},
    {"GRU", PAST, OUT, build_gru, run_gru},
    {"causal convolutions", PAST, IN, build_conv, run_conv},
    {"centred convolutions", EVERYWHERE, IN, build_conv, run_centred_conv},
    {"causal transformer", PAST, IN, build_transformer, run_transformer},
    {"full transformer", EVERYWHERE, IN, build_transformer, run_full_transformer},
};
enum { N_LAYERS = sizeof layers / sizeof layers[0] };

/* ---- a pass without a model ------------------------------------------------------------------ */

static struct rig *rig_new(void (*build)(struct rig *r)) {
  struct rig *r = calloc(1, sizeof *r);
  cr_assert_not_null(r);
  r->err = ssk_err_new();
  r->b = (ssk_builder){.arena = &r->arena, .err = r->err};
  ssk_scope(&r->b, "test");
  r->input = ssk_declare(&r->b, "input", SSK_SHAPE(T, N, IN), SSK_INIT_NORMAL, 1, SSK_DECAY);
  build(r);
  cr_assert_eq(ssk_build_code(&r->b), SSK_OK, "%s", ssk_err_message(r->err, 0));
  const struct ssk_layout *layout = &r->b.layout;
  r->weights =
      (struct ssk_weights){.layout = layout, .values = calloc(layout->total, sizeof(ssk_real))};
  r->gradient = calloc(layout->total, sizeof(ssk_real));
  r->ctx = (struct ssk_ctx){.size = sizeof r->ctx,
                            .tape = ssk_tape_new(r->err),
                            .weights = &r->weights,
                            .gradient = r->gradient,
                            .leaves = calloc((size_t)layout->n, sizeof(ssk_tensor))};
  cr_assert(r->weights.values && r->gradient && r->ctx.tape && r->ctx.leaves);
  ssk_layout_initialise(layout, 7, r->weights.values);
  return r;
}

static void rig_free(struct rig *r) {
  ssk_tape_free(r->ctx.tape);
  free(r->ctx.leaves);
  free(r->weights.values);
  free(r->gradient);
  ssk_layout_free(&r->b.layout);
  ssk_arena_free(&r->arena);
  ssk_err_free(r->err);
  free(r);
}

/* Leave the initial values, where zeros would hide errors. */
static void scatter(struct rig *r) {
  ssk_rng rng = ssk_rng_open(3, "scatter", NULL, 0, 0);
  for (int k = 0; k < r->b.layout.n; k++) {
    const struct ssk_slice *slice = &r->b.layout.slice[k];
    for (size_t i = 0; i < slice->count; i++)
      r->weights.values[slice->offset + i] += (ssk_real)(0.4 * ssk_rng_normal(&rng));
  }
}

static ssk_tensor *forward(struct rig *r, const struct layer *layer) {
  ssk_tape_reset(r->ctx.tape);
  memset(r->ctx.leaves, 0, (size_t)r->b.layout.n * sizeof *r->ctx.leaves);
  ssk_tensor *out = layer->run(r, ssk_use(&r->ctx, r->input));
  cr_assert_eq(ssk_tape_code(r->ctx.tape), SSK_OK, "%s: %s", layer->name,
               ssk_err_message(r->err, 0));
  return out;
}

static const struct layer *layer_of(const char *name) {
  for (int i = 0; i < N_LAYERS; i++)
    if (!strcmp(layers[i].name, name))
      return &layers[i];
  cr_assert_fail("no layer %s", name);
  return NULL;
}

/* ---- how they start -------------------------------------------------------------------------- */

Test(layers, heads_start_as_the_zero_function) {
  for (int k = 0; k < 2; k++) {
    const struct layer *layer = layer_of(k ? "linear head" : "head");
    struct rig *r = rig_new(layer->build);
    ssk_tensor *out = forward(r, layer);
    for (size_t i = 0; i < out->count; i++)
      cr_assert_eq(out->data[i], 0);
    rig_free(r);
  }
}

Test(layers, gaussian_heads_start_at_the_asked_variance) {
  const struct layer *layer = layer_of("Gaussian head");
  struct rig *r = rig_new(layer->build);
  ssk_tensor *out = forward(r, layer);
  for (size_t i = 0; i < out->count; i++)
    cr_assert_float_eq(out->data[i], i % (2 * OUT) < OUT ? 0 : limits.logvar_start, 1e-5);
  rig_free(r);
}

Test(layers, dense_layers_start_within_their_bound_and_fill_it) {
  struct rig *r = rig_new(build_dense);
  ssk_weight handles[] = {r->dense.W, r->dense.b};
  double largest = 0;
  for (int k = 0; k < 2; k++) {
    const struct ssk_slice *slice = &r->b.layout.slice[handles[k] - 1];
    for (size_t i = 0; i < slice->count; i++) {
      double size = fabs((double)r->weights.values[slice->offset + i]);
      cr_assert_leq(size, 1 / sqrt(IN));
      largest = fmax(largest, size);
    }
  }
  cr_assert_gt(largest, 0.5 / sqrt(IN));
  rig_free(r);
}

Test(layers, variance_raw_inverts_the_variance_head) {
  const double starts[] = {-7.5, -1.5, 0, 3, 7.5};
  for (int i = 0; i < 5; i++) {
    struct ssk_variance v = limits;
    v.logvar_start = starts[i];
    double softplus = log1p(exp(-fabs(ssk_variance_raw(&v)))) + fmax(ssk_variance_raw(&v), 0);
    cr_assert_float_eq(log(softplus + v.var_min), starts[i], 1e-9);
  }
}

Test(layers, variance_limits_that_contradict_are_refused) {
  const struct ssk_variance bad[] = {
      {.var_min = 1e-6, .logvar_min = 2, .logvar_max = 1, .logvar_start = 1.5},
      {.var_min = 1e-6, .logvar_min = -2, .logvar_max = 1, .logvar_start = 1.5},
      {.var_min = 0.5, .logvar_min = -9, .logvar_max = 1, .logvar_start = -1},
  };
  cr_assert_eq(ssk_variance_check(&limits, NULL), SSK_OK);
  for (int i = 0; i < 3; i++) {
    ssk_err *err = ssk_err_new();
    cr_assert_eq(ssk_variance_check(&bad[i], err), SSK_ERECIPE);
    cr_assert_eq(ssk_err_count(err), 1);
    ssk_err_free(err);
  }
}

Test(layers, width_that_heads_do_not_divide_is_refused) {
  struct ssk_arena arena = {0};
  ssk_err *err = ssk_err_new();
  ssk_builder b = {.arena = &arena, .err = err};
  ssk_transformer_build(&b, "net", 6, 4, 8, 1);
  cr_assert_eq(ssk_build_code(&b), SSK_ERECIPE);
  cr_assert_neq(strstr(ssk_err_message(err, 0), "width 6 is not a multiple of 4 heads"), NULL, "%s",
                ssk_err_message(err, 0));
  ssk_layout_free(&b.layout);
  ssk_arena_free(&arena);
  ssk_err_free(err);
}

/* ---- what they compute ----------------------------------------------------------------------- */

Test(layers, gaussian_head_in_parts_equals_the_whole) {
  const struct layer *whole = layer_of("Gaussian head");
  struct rig *r = rig_new(whole->build);
  scatter(r);
  ssk_real kept[T * N * 2 * OUT];
  ssk_tensor *out = forward(r, whole);
  cr_assert_eq(out->count, sizeof kept / sizeof kept[0]);
  memcpy(kept, out->data, sizeof kept);
  out = forward(r, layer_of("Gaussian head in parts"));
  for (size_t i = 0; i < out->count; i++)
    cr_assert_float_eq(out->data[i], kept[i], 2e-5);
  rig_free(r);
}

Test(layers, sinusoidal_features_are_those_of_csdi) {
  ssk_tape *tape = ssk_tape_new(NULL);
  ssk_real value[] = {(ssk_real)-0.3, 0, (ssk_real)0.02};
  ssk_tensor *out = ssk_sinusoidal(tape, ssk_const(tape, SSK_SHAPE(3), value), 7);
  cr_assert_eq(ssk_tape_code(tape), SSK_OK);
  cr_assert(out->ndim == 2 && out->shape[0] == 3 && out->shape[1] == 7);
  for (int k = 0; k < 3; k++) {
    for (int i = 0; i < 3; i++) {
      double angle = (double)value[k] * pow(10, 2.0 * i);
      double rounding = 1e-6 + 2e-7 * fabs(angle); /* of the angle, in float */
      cr_assert_float_eq(out->data[k * 7 + i], sin(angle), rounding);
      cr_assert_float_eq(out->data[k * 7 + 3 + i], cos(angle), rounding);
    }
    cr_assert_eq(out->data[k * 7 + 6], 0);
  }
  ssk_tape_free(tape);
}

ParameterizedTestParameters(layers, shape_and_sight) {
  static int index[N_LAYERS];
  for (int i = 0; i < N_LAYERS; i++)
    index[i] = i;
  return cr_make_param_array(int, index, N_LAYERS);
}

/* Changing one step's input changes that step's output, and others' only where the layer may see.
 */
ParameterizedTest(int *index, layers, shape_and_sight) {
  enum { CHANGED = 2 };
  const struct layer *layer = &layers[*index];
  struct rig *r = rig_new(layer->build);
  scatter(r);
  ssk_tensor *out = forward(r, layer);
  cr_assert(out->ndim == 3 && out->shape[0] == T && out->shape[1] == N &&
                out->shape[2] == layer->width,
            "%s has a wrong shape", layer->name);
  size_t slab = out->count / T;
  ssk_real *kept = malloc(out->count * sizeof *kept);
  memcpy(kept, out->data, out->count * sizeof *kept);
  ssk_real *input = r->weights.values + r->b.layout.slice[r->input - 1].offset;
  for (int i = 0; i < N * IN; i++)
    input[CHANGED * N * IN + i] += i % 2 ? (ssk_real)0.5 : (ssk_real)-0.7;
  out = forward(r, layer);
  for (int t = 0; t < T; t++) {
    bool same = !memcmp(out->data + (size_t)t * slab, kept + (size_t)t * slab, slab * sizeof *kept);
    bool sees = t == CHANGED || (layer->sight == PAST && t > CHANGED) || layer->sight == EVERYWHERE;
    cr_assert_eq(same, !sees, "%s: output of step %d", layer->name, t);
  }
  free(kept);
  rig_free(r);
}

/* ---- gradients ------------------------------------------------------------------------------- */

#ifdef SSK_DOUBLE

/* A fixed random projection of the output: a plain sum would hide errors (a softmax's is zero). */
static ssk_tensor *projected(struct rig *r, const struct layer *layer) {
  ssk_tensor *out = forward(r, layer);
  ssk_rng rng = ssk_rng_open(5, "projection", NULL, 0, 0);
  ssk_tensor *weight = ssk_normal(r->ctx.tape, out->ndim, out->shape, &rng);
  return ssk_sum_all(r->ctx.tape, ssk_mul(r->ctx.tape, out, weight));
}

ParameterizedTestParameters(layers, gradient) {
  static int index[N_LAYERS];
  for (int i = 0; i < N_LAYERS; i++)
    index[i] = i;
  return cr_make_param_array(int, index, N_LAYERS);
}

ParameterizedTest(int *index, layers, gradient) {
  const struct layer *layer = &layers[*index];
  struct rig *r = rig_new(layer->build);
  scatter(r);
  cr_assert_eq(ssk_backward(r->ctx.tape, projected(r, layer), 1), SSK_OK);
  for (int k = 0; k < r->b.layout.n; k++) {
    const struct ssk_slice *slice = &r->b.layout.slice[k];
    for (size_t i = 0; i < slice->count; i++) {
      ssk_real *w = &r->weights.values[slice->offset + i], at = *w;
      const double step = 1e-5;
      *w = at + step;
      double up = projected(r, layer)->data[0];
      *w = at - step;
      double down = projected(r, layer)->data[0];
      *w = at;
      double numeric = (up - down) / (2 * step), exact = r->gradient[slice->offset + i];
      cr_assert_leq(fabs(numeric - exact), 1e-6 * fmax(1, fabs(exact)),
                    "%s, %s[%zu]: backward %.12g, differences %.12g", layer->name, slice->name, i,
                    exact, numeric);
    }
  }
  rig_free(r);
}

#endif

/* The first use may be of what is freed; the header must not be. */
Test(layers, a_weight_outlives_a_rewind) {
  struct rig *r = rig_new(layers[0].build);
  ssk_tape *tape = r->ctx.tape;
  size_t mark = ssk_tape_mark(tape);
  ssk_tensor *weight = ssk_use(&r->ctx, r->input);
  ssk_exp(tape, weight);
  ssk_tape_rewind(tape, mark);
  memset(ssk_tape_scratch(tape, 1 << 12), 0xff, 1 << 12);
  cr_expect_eq(ssk_use(&r->ctx, r->input), weight);
  cr_expect_eq(weight->count, T * N * IN);
  cr_expect_eq(weight->data, r->weights.values + r->b.layout.slice[r->input - 1].offset);
  ssk_tensor *twice = ssk_affine(tape, weight, 2, 0);
  cr_expect_eq(twice->shape[0], T);
  cr_expect_eq(twice->data[5], 2 * weight->data[5]);
  rig_free(r);
}
