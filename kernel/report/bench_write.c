/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bench_write.c - the measurements of a recipe for people, and as JSON. */
#include "report/bench.h"
#include <math.h>
#include <string.h>

static const double square_flops = 2.0 * SSK_LARGE_SQUARE * SSK_LARGE_SQUARE * SSK_LARGE_SQUARE;

static const char *name_of(const struct ssk_bench_row *row) {
  return row->name ? row->name : "(other code)";
}

static double booked(const struct ssk_bench *bench) {
  double sum = 0;
  for (int i = 0; i < bench->n_rows; i++)
    for (int way = 0; way < SSK_WAYS; way++)
      sum += bench->rows[i].way[way].seconds;
  return sum;
}

/* ---- text ----------------------------------------------------------------------------------- */

/* amount/seconds in 1e9; empty where there is nothing. */
static void add_rate(struct ssk_text *out, double amount, double seconds) {
  if (amount > 0 && seconds > 0)
    ssk_text_printf(out, " %7.1f", 1e-9 * amount / seconds);
  else
    ssk_text_printf(out, " %7s", "");
}

static void add_milliseconds(struct ssk_text *out, double seconds) {
  if (seconds > 0)
    ssk_text_printf(out, " %9.3f", 1e3 * seconds);
  else
    ssk_text_printf(out, " %9s", "");
}

/* A line of figures: of products the arithmetic, of others the traffic. */
static void add_costs(struct ssk_text *out, const struct ssk_profile_cost *way, double whole,
                      bool traffic) {
  const struct ssk_profile_cost *there = &way[SSK_FORWARD], *back = &way[SSK_BACKWARD];
  add_milliseconds(out, there->seconds);
  add_milliseconds(out, back->seconds);
  ssk_text_printf(out, " %5.1f", 100 * (there->seconds + back->seconds) / whole);
  add_rate(out, there->flops, there->seconds);
  add_rate(out, back->flops, back->seconds);
  if (traffic && there->flops + back->flops == 0) {
    add_rate(out, there->bytes, there->seconds);
    add_rate(out, back->bytes, back->seconds);
  }
  while (out->data[out->length - 1] == ' ')
    out->data[--out->length] = 0;
  ssk_text_add(out, "\n");
}

static void add_component(const struct ssk_bench *bench, int first, double whole,
                          struct ssk_text *out) {
  const char *component = bench->rows[first].component;
  struct ssk_profile_cost sum[SSK_WAYS] = {0};
  int end = first;
  for (; end < bench->n_rows && strcmp(bench->rows[end].component, component) == 0; end++)
    for (int way = 0; way < SSK_WAYS; way++) {
      sum[way].seconds += bench->rows[end].way[way].seconds;
      sum[way].flops += bench->rows[end].way[way].flops;
    }
  ssk_text_printf(out, "%-36s %6s", component, "");
  add_costs(out, sum, whole, false);
  const bool alone = end == first + 1 && !bench->rows[first].name; /* nothing to tell apart */
  for (int i = first; i < end && !alone; i++) {
    const struct ssk_bench_row *row = &bench->rows[i];
    char label[128];
    snprintf(label, sizeof label, "%s %s", name_of(row), row->shape);
    ssk_text_printf(out, "  %-34s", label);
    const int64_t calls =
        row->way[SSK_FORWARD].calls ? row->way[SSK_FORWARD].calls : row->way[SSK_BACKWARD].calls;
    if (calls)
      ssk_text_printf(out, " %6lld", (long long)calls);
    else
      ssk_text_printf(out, " %6s", "");
    add_costs(out, row->way, whole, true);
  }
}

static void add_totals(const struct ssk_bench *bench, struct ssk_text *out) {
  const double peak = square_flops / bench->square.median;
  ssk_text_printf(out,
                  "\na step: median %.3f ms (%.3f to %.3f), %.3f ms of processor time; with the "
                  "profile %.3f ms, %.3f\n",
                  1e3 * bench->step.median, 1e3 * bench->step.least, 1e3 * bench->step.most,
                  1e3 * bench->step_cpu.median, 1e3 * bench->profiled.median,
                  1e3 * bench->profiled_cpu.median);
  ssk_text_printf(out,
                  "products: %.4g GFLOP a step, %.1f GFLOP/s over the whole step, %.1f a second of "
                  "processor time\n",
                  1e-9 * bench->flops, 1e-9 * bench->flops / bench->step.median,
                  1e-9 * bench->flops / bench->step_cpu.median);
  ssk_text_printf(
      out,
      "that is %.0f %% and %.0f %% of the %.1f GFLOP/s of OpenBLAS on one thread (square of %d)\n",
      100 * bench->flops / bench->step.median / peak,
      100 * bench->flops / bench->step_cpu.median / peak, 1e-9 * peak, SSK_LARGE_SQUARE);
  ssk_text_printf(out, "tapes: %.1f MiB at most on %d thread%s; %zu trained weights\n",
                  (double)bench->tape_bytes / 1048576, bench->options.threads,
                  bench->options.threads > 1 ? "s" : "", bench->weights);
}

void ssk_bench_text(const struct ssk_bench *bench, struct ssk_text *out) {
  ssk_text_printf(out,
                  "%s: a training step of %d windows in %d shards, %d steps long, %d paths each; "
                  "%d thread%s\n\n",
                  bench->recipe, bench->batch, bench->shards, bench->T, bench->paths,
                  bench->options.threads, bench->options.threads > 1 ? "s" : "");
  ssk_text_printf(out, "%-36s %6s %9s %9s %5s %15s %15s\n", "processor time, all threads", "",
                  "forward", "back", "share", "GFLOP/s", "GB/s");
  ssk_text_printf(out, "%-36s %6s %9s %9s %5s %7s %7s %7s %7s\n", "component, operation", "calls",
                  "ms", "ms", "%", "forward", "back", "forward", "back");
  const double whole = booked(bench);
  for (int i = 0; i < bench->n_rows; i++)
    if (i == 0 || strcmp(bench->rows[i].component, bench->rows[i - 1].component) != 0)
      add_component(bench, i, whole, out);
  struct ssk_profile_cost sum[SSK_WAYS] = {0};
  for (int i = 0; i < bench->n_rows; i++)
    for (int way = 0; way < SSK_WAYS; way++) {
      sum[way].seconds += bench->rows[i].way[way].seconds;
      sum[way].flops += bench->rows[i].way[way].flops;
    }
  ssk_text_printf(out, "%-36s %6s", "sum", "");
  add_costs(out, sum, whole, false);
  add_totals(bench, out);
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static json_t *spread_json(const struct ssk_bench_spread *spread) {
  return json_pack("{s:f, s:f, s:f}", "median", spread->median, "min", spread->least, "max",
                   spread->most);
}

static json_t *cost_json(const struct ssk_profile_cost *cost) {
  return json_pack("{s:I, s:f, s:f, s:f}", "calls", (json_int_t)cost->calls, "seconds",
                   cost->seconds, "flop", cost->flops, "bytes", cost->bytes);
}

static json_t *row_json(const struct ssk_bench_row *row) {
  json_t *out =
      json_pack("{s:s, s:o, s:o}", "name", name_of(row), "forward",
                cost_json(&row->way[SSK_FORWARD]), "backward", cost_json(&row->way[SSK_BACKWARD]));
  if (*row->shape)
    json_object_set_new(out, "shape", json_string(row->shape));
  return out;
}

static json_t *components_json(const struct ssk_bench *bench) {
  json_t *out = json_array(), *operations = NULL;
  const double whole = booked(bench);
  for (int i = 0; i < bench->n_rows; i++) {
    const struct ssk_bench_row *row = &bench->rows[i];
    if (i == 0 || strcmp(row->component, bench->rows[i - 1].component) != 0) {
      operations = json_array();
      json_array_append_new(out, json_pack("{s:s, s:f, s:f, s:o}", "name", row->component,
                                           "seconds", row->of_component, "share",
                                           row->of_component / whole, "operations", operations));
    }
    json_array_append_new(operations, row_json(row));
  }
  return out;
}

json_t *ssk_bench_json(const struct ssk_bench *bench) {
  const double peak = square_flops / bench->square.median;
  return json_pack(
      "{s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:I, s:I, s:o, s:o, s:o, s:o, s:f, s:f, s:f, s:f, s:f, "
      "s:o}",
      "recipe", bench->recipe, "threads", bench->options.threads, "steps", bench->options.steps,
      "batch", bench->batch, "shards", bench->shards, "window", bench->T, "paths", bench->paths,
      "weights", (json_int_t)bench->weights, "tape_bytes", (json_int_t)bench->tape_bytes,
      "step_seconds", spread_json(&bench->step), "step_processor_seconds",
      spread_json(&bench->step_cpu), "profiled_seconds", spread_json(&bench->profiled),
      "profiled_processor_seconds", spread_json(&bench->profiled_cpu), "booked_seconds",
      booked(bench), "product_flop", bench->flops, "openblas_flop_per_second", peak,
      "share_of_openblas", bench->flops / bench->step.median / peak,
      "share_of_openblas_by_processor_time", bench->flops / bench->step_cpu.median / peak,
      "components", components_json(bench));
}
