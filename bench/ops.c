/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ops.c - ops [--json] [OPERATION...]
 *
 * The speed of the tape's operations, forward and back, at typical shapes, beside what this machine
 * reaches on one thread: OpenBLAS on a large square and on the one matrix product of about the
 * operation's size, and a copy loop in each level of memory. Medians of processor time, so that
 * others who use the machine disturb little. */
#include "tensor/ops.h"
#include "core/clock.h"
#include "tensor/profile.h"
#include "tensor/roofline.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { most_repeats = 401, fewest_repeats = 5, inputs_count = 1 << 24 };
static const double seconds_a_case = 0.1;

/* ---- inputs --------------------------------------------------------------------------------- */

/* Memory that inputs lie in, one behind another, from the start for each repeat: values of
 * [0.5, 1.5], of weights [-0.1, 0.1], and their gradients. */
static struct {
  ssk_real *values, *weights, *gradients;
  size_t used;
} inputs;
static const int zeros[1 << 16];

static ssk_tensor *take(ssk_tape *tape, ssk_real *from, bool wants, int ndim, const int *shape) {
  ssk_tensor *x = ssk_leaf(tape, ndim, shape, from + inputs.used,
                           wants ? inputs.gradients + inputs.used : NULL);
  inputs.used += (x->count + 15) & ~(size_t)15;
  return x;
}

/* In a model, inputs are results of other operations: their gradients are fresh (see struct
 * ssk_op), which those of weights never are. */
static int input_shape(struct ssk_call *call, int *ndim, int *shape) {
  return ssk_shape_same(call, ndim, shape);
}
static void input_forward(struct ssk_call *call) {
  memcpy(call->out->data, call->in[0]->data, call->out->count * sizeof(ssk_real));
}
static void input_backward(struct ssk_call *call) {
  (void)call;
}
static const struct ssk_op input_op = {.size = sizeof(struct ssk_op),
                                       .name = "(input)",
                                       .shape = input_shape,
                                       .forward = input_forward,
                                       .backward = input_backward};

static ssk_tensor *input(ssk_tape *tape, int ndim, const int *shape) {
  ssk_tensor *leaf = take(tape, inputs.values, true, ndim, shape);
  return ssk_apply(tape, &input_op, 1, &leaf, NULL, 0);
}
#define X(...) input(tape, SSK_SHAPE(__VA_ARGS__))
#define K(...) take(tape, inputs.values, false, SSK_SHAPE(__VA_ARGS__))
#define W(...) take(tape, inputs.weights, true, SSK_SHAPE(__VA_ARGS__))

static ssk_tensor *transformer(ssk_tape *tape, int L, int n, int C, int heads, int hidden) {
  const struct ssk_transformer_block block = {.norm1_gain = W(C),
                                              .norm1_bias = W(C),
                                              .query_W = W(C, C),
                                              .query_b = W(C),
                                              .key_W = W(C, C),
                                              .key_b = W(C),
                                              .value_W = W(C, C),
                                              .value_b = W(C),
                                              .mix_W = W(C, C),
                                              .mix_b = W(C),
                                              .norm2_gain = W(C),
                                              .norm2_bias = W(C),
                                              .up_W = W(C, hidden),
                                              .up_b = W(hidden),
                                              .down_W = W(hidden, C),
                                              .down_b = W(C)};
  return ssk_transformer_blocks(tape, X(L, n, C), 1, &block, heads, false);
}

static int make_inputs(void) {
  const size_t bytes = (size_t)inputs_count * sizeof(ssk_real);
  inputs.values = aligned_alloc(64, bytes);
  inputs.weights = aligned_alloc(64, bytes);
  inputs.gradients = aligned_alloc(64, bytes);
  if (!inputs.values || !inputs.weights || !inputs.gradients)
    return SSK_ENOMEM;
  ssk_rng rng = ssk_rng_open(1, "bench", "inputs", 0, 0);
  for (size_t i = 0; i < inputs_count; i++) {
    const double u = ssk_rng_uniform(&rng);
    inputs.values[i] = (ssk_real)(0.5 + u);
    inputs.weights[i] = (ssk_real)(0.2 * u - 0.1);
    inputs.gradients[i] = 0;
  }
  return SSK_OK;
}

/* ---- cases ---------------------------------------------------------------------------------- */

struct bench_case {
  enum ssk_op_id op;
  const char *shapes;
  int m, n, k; /* of the matrix product to compare with; 0: none */
  ssk_tensor *(*run)(ssk_tape *tape);
};

#define NAME_2(line) case_##line
#define NAME(line)   NAME_2(line)
#define CASE(op_, shapes_, ...)                                                                    \
  static ssk_tensor *NAME(__LINE__)(ssk_tape * tape) {                                             \
    return __VA_ARGS__;                                                                            \
  }
#define PRODUCT(op_, shapes_, m_, n_, k_, ...) CASE(op_, shapes_, __VA_ARGS__)
#include "ops_cases.def"

static const struct bench_case cases[] = {
#define CASE(op_, shapes_, ...) {.op = SSK_OP_##op_, .shapes = shapes_, .run = NAME(__LINE__)},
#define PRODUCT(op_, shapes_, m_, n_, k_, ...)                                                     \
  {.op = SSK_OP_##op_, .shapes = shapes_, .m = m_, .n = n_, .k = k_, .run = NAME(__LINE__)},
#include "ops_cases.def"
};
enum { n_cases = sizeof cases / sizeof cases[0] };

/* ---- measuring ------------------------------------------------------------------------------ */

struct result {
  struct ssk_profile_cost way[SSK_WAYS]; /* a call; seconds: the median */
  double gemm;                           /* flop/s of OpenBLAS on a product of its size, or 0 */
};

static int compare(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}
static double median(double *values, int n) {
  qsort(values, (size_t)n, sizeof *values, compare);
  return values[n / 2];
}

/* What a profile booked on the operation; clearing gradients that it adds to is part of its way
 * back. */
static void read_profile(const struct ssk_profile *profile, const char *op,
                         struct ssk_profile_cost *way) {
  memset(way, 0, SSK_WAYS * sizeof *way);
  for (int i = 0; i < profile->n; i++) {
    const struct ssk_profile_row *row = &profile->rows[i];
    const char *name = row->key.name ? row->key.name : "";
    if (strcmp(name, op) == 0)
      for (int w = 0; w < SSK_WAYS; w++) {
        way[w].seconds += row->way[w].seconds;
        way[w].flops += row->way[w].flops;
        way[w].bytes += row->way[w].bytes;
      }
    else if (strcmp(name, "clear gradients") == 0)
      way[SSK_BACKWARD].seconds += row->way[SSK_BACKWARD].seconds;
  }
}

static int measure(const struct bench_case *what, ssk_tape *tape, struct ssk_profile *profile,
                   struct result *out) {
  static double seconds[SSK_WAYS][most_repeats];
  const double until = ssk_thread_clock() + seconds_a_case;
  int n = -2; /* two that do not count */
  for (; n < most_repeats && (n < fewest_repeats || ssk_thread_clock() < until); n++) {
    inputs.used = 0;
    ssk_tape_reset(tape);
    ssk_profile_start(profile);
    ssk_tensor *y = what->run(tape);
    const ssk_real *seed = inputs.values;
    const int code = ssk_backward_from(tape, 1, &y, &seed);
    if (code)
      return code;
    read_profile(profile, ssk_op_table[what->op].op.name, out->way);
    for (int w = 0; w < SSK_WAYS && n >= 0; w++)
      seconds[w][n] = out->way[w].seconds;
  }
  for (int w = 0; w < SSK_WAYS; w++)
    out->way[w].seconds = median(seconds[w], n);
  return SSK_OK;
}

static double gemm_rate(int m, int n, int k) {
  static double seconds[most_repeats];
  struct ssk_gemm_bench bench;
  if (ssk_gemm_bench_new(m, n, k, &bench))
    return 0;
  const double until = ssk_thread_clock() + seconds_a_case;
  int repeats = 0;
  /* Short products are called often enough for the clock. */
  const double flops = 2.0 * m * n * k;
  const int calls = flops < 1e7 ? (int)(1e7 / flops) : 1;
  ssk_gemm_bench_run(&bench, m, n, k);
  while (repeats < most_repeats && (repeats < fewest_repeats || ssk_thread_clock() < until)) {
    const double since = ssk_thread_clock();
    for (int i = 0; i < calls; i++)
      ssk_gemm_bench_run(&bench, m, n, k);
    seconds[repeats++] = (ssk_thread_clock() - since) / calls;
  }
  ssk_gemm_bench_free(&bench);
  return flops / median(seconds, repeats);
}

/* Bytes read and written a second, copying blocks so large that both sides take `bytes`. */
static double copy_rate(size_t bytes) {
  static double seconds[most_repeats];
  const size_t count = bytes / 2 / sizeof(ssk_real);
  const double until = ssk_thread_clock() + seconds_a_case;
  const int calls = bytes < 1 << 22 ? (1 << 22) / (int)bytes : 1;
  int repeats = 0;
  ssk_copy_bench_run(count, 1, inputs.values, inputs.gradients);
  while (repeats < most_repeats && (repeats < fewest_repeats || ssk_thread_clock() < until)) {
    const double since = ssk_thread_clock();
    for (int i = 0; i < calls; i++)
      ssk_copy_bench_run(count, 1, inputs.values, inputs.gradients);
    seconds[repeats++] = (ssk_thread_clock() - since) / calls;
  }
  return (double)bytes / median(seconds, repeats);
}

/* ---- output --------------------------------------------------------------------------------- */

static const struct {
  const char *name;
  size_t bytes;
} levels[] = {{"64 KiB", 1 << 16}, {"512 KiB", 1 << 19}, {"8 MiB", 1 << 23}, {"128 MiB", 1 << 27}};
enum { n_levels = sizeof levels / sizeof levels[0] };

struct roofline {
  double square, copy[n_levels];
};

static void print_roofline(const struct roofline *roofline) {
  printf("on one thread: OpenBLAS %.1f GFLOP/s (square of %d); a copy loop",
         1e-9 * roofline->square, SSK_LARGE_SQUARE);
  for (int i = 0; i < n_levels; i++)
    printf("%s %.1f GB/s (%s)", i ? "," : "", 1e-9 * roofline->copy[i], levels[i].name);
  printf("\n\n%-52s %19s %27s %8s\n%-52s %9s %9s %8s %8s %8s %8s %8s\n", "", "us",
         "GFLOP/s or GB/s", "OpenBLAS", "operation and shapes", "forward", "back", "", "forward",
         "back", "", "GFLOP/s");
}

static void print_case(const struct bench_case *what, const struct result *result) {
  char label[128];
  snprintf(label, sizeof label, "%s %s", ssk_op_table[what->op].op.name, what->shapes);
  const struct ssk_profile_cost *there = &result->way[SSK_FORWARD],
                                *back = &result->way[SSK_BACKWARD];
  const bool product = there->flops > 0;
  printf("%-52s %9.2f %9.2f %8s %8.1f %8.1f", label, 1e6 * there->seconds, 1e6 * back->seconds,
         product ? "GFLOP/s" : "GB/s",
         1e-9 * (product ? there->flops : there->bytes) / there->seconds,
         1e-9 * (product ? back->flops : back->bytes) / back->seconds);
  if (result->gemm > 0)
    printf(" %8s %8.1f", "", 1e-9 * result->gemm);
  printf("\n");
}

static json_t *roofline_json(const struct roofline *roofline) {
  json_t *copy = json_array();
  for (int i = 0; i < n_levels; i++)
    json_array_append_new(copy, json_pack("{s:I, s:f}", "bytes", (json_int_t)levels[i].bytes,
                                          "bytes_per_second", roofline->copy[i]));
  return json_pack("{s:i, s:f, s:o}", "square", SSK_LARGE_SQUARE, "openblas_flop_per_second",
                   roofline->square, "copy", copy);
}

static json_t *case_json(const struct bench_case *what, const struct result *result) {
  json_t *out =
      json_pack("{s:s, s:s}", "operation", ssk_op_table[what->op].op.name, "shapes", what->shapes);
  static const char *const way[SSK_WAYS] = {"forward", "backward"};
  for (int w = 0; w < SSK_WAYS; w++) {
    const struct ssk_profile_cost *cost = &result->way[w];
    json_object_set_new(out, way[w],
                        json_pack("{s:f, s:f, s:f}", "seconds", cost->seconds, "flop", cost->flops,
                                  "bytes", cost->bytes));
  }
  if (result->gemm > 0)
    json_object_set_new(out, "openblas_flop_per_second", json_real(result->gemm));
  return out;
}

/* ---- the program ---------------------------------------------------------------------------- */

/* Is the operation among those named? All are, when none is. */
static bool chosen(enum ssk_op_id op, int n, char **names) {
  bool found = n == 0;
  for (int i = 0; i < n; i++)
    found = found || strcmp(names[i], ssk_op_table[op].op.name) == 0;
  return found;
}

/* Operations without a case are told, so that a new one is not forgotten. */
static json_t *without_case(int n, char **names) {
  json_t *out = json_array();
  for (int op = 0; op < SSK_OP_COUNT; op++) {
    bool has = !chosen((enum ssk_op_id)op, n, names);
    for (int i = 0; i < n_cases; i++)
      has = has || (int)cases[i].op == op;
    if (!has)
      json_array_append_new(out, json_string(ssk_op_table[op].op.name));
  }
  return out;
}

static int run(bool json, int n, char **names, ssk_tape *tape, struct ssk_profile *profile) {
  struct roofline roofline = {.square =
                                  gemm_rate(SSK_LARGE_SQUARE, SSK_LARGE_SQUARE, SSK_LARGE_SQUARE)};
  for (int i = 0; i < n_levels; i++)
    roofline.copy[i] = copy_rate(levels[i].bytes);
  json_t *list = json_array();
  if (!json)
    print_roofline(&roofline);
  for (int i = 0; i < n_cases; i++) {
    const struct bench_case *what = &cases[i];
    struct result result = {0};
    if (!chosen(what->op, n, names))
      continue;
    const int code = measure(what, tape, profile, &result);
    if (code)
      return code;
    if (what->m)
      result.gemm = gemm_rate(what->m, what->n, what->k);
    if (json)
      json_array_append_new(list, case_json(what, &result));
    else
      print_case(what, &result);
  }
  json_t *missing = without_case(n, names), *name;
  if (json) {
    json_t *all = json_pack("{s:o, s:O, s:O}", "roofline", roofline_json(&roofline), "cases", list,
                            "no_case", missing);
    json_dumpf(all, stdout, JSON_INDENT(2));
    printf("\n");
    json_decref(all);
  } else {
    size_t i;
    json_array_foreach(missing, i, name) printf("%-52s no case\n", json_string_value(name));
  }
  json_decref(missing);
  json_decref(list);
  return SSK_OK;
}

int main(int argc, char **argv) {
  const bool json = argc > 1 && strcmp(argv[1], "--json") == 0;
  ssk_err *err = ssk_err_new();
  ssk_tape *tape = ssk_tape_new(err);
  struct ssk_profile profile = {0};
  int code = make_inputs();
  if (!code) {
    ssk_tape_profile(tape, &profile);
    code = run(json, argc - 1 - json, argv + 1 + json, tape, &profile);
  }
  ssk_err_print(err, stderr, false);
  ssk_tape_free(tape);
  ssk_profile_free(&profile);
  ssk_err_free(err);
  free(inputs.values);
  free(inputs.weights);
  free(inputs.gradients);
  return code;
}
