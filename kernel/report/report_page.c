/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report_page.c - what stands on the pages. */
#include "report/report_page.h"
#include "core/file.h"
#include "core/json.h"
#include "model/evaluate_bound.h"
#include "report/plot_run.h"
#include "report/report_html.h"
#include "report/runs.h"
#include "report/sampler_costs.h"
#include "report/table.h"
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int no_memory(const char *folder, ssk_err *err) {
  return ssk_err_set(err, SSK_ENOMEM, "no memory for the report of '%s'", folder);
}

static int read_file(const char *folder, const char *name, char **data, ssk_err *err) {
  size_t size;
  char *path = ssk_path_join(folder, name);
  *data = NULL;
  int code = path ? ssk_file_read(path, (size_t)1 << 28, data, &size, err) : no_memory(folder, err);
  free(path);
  return code;
}

/* ---- a run ----------------------------------------------------------------------------------- */

static void add_term(struct ssk_text *out, const char *name, const char *value) {
  ssk_text_printf(out, "<dt>%s</dt><dd>", name);
  ssk_html_text(out, value);
  ssk_text_add(out, "</dd>\n");
}

static int run_page(const char *folder, const struct ssk_plots *plots, ssk_err *err) {
  struct ssk_runs runs = {0};
  struct ssk_text page = {0};
  char *recipe = NULL, number[96];
  int code = ssk_runs_add(&runs, folder, err);
  if (!code)
    code = read_file(folder, "recipe.yaml", &recipe, err);
  if (!code) {
    const struct ssk_run_info *run = &runs.items[0];
    ssk_html_begin(&page, run->name);
    ssk_text_add(&page, "<dl>\n");
    add_term(&page, "Run", run->path);
    add_term(&page, "Status", ssk_run_state(run));
    add_term(&page, "Started", run->started);
    add_term(&page, "Command", run->command);
    if (!isnan(run->bound)) {
      char name[32];
      snprintf(name, sizeof name, "Validation %s", ssk_measure_name(run->path_loss));
      snprintf(number, sizeof number, "%.5g \u00b1 %.2g %sa sequence, %.5g a step", run->bound,
               run->bound_se, ssk_measure_unit(run->path_loss), run->bound_per_step);
      add_term(&page, name, number);
    }
    ssk_text_add(&page, "</dl>\n");
    ssk_html_plots(&page, plots);
    ssk_text_add(&page, "<details><summary>Resolved recipe</summary>\n<pre>");
    ssk_html_text(&page, recipe);
    ssk_text_add(&page, "</pre></details>\n");
    ssk_html_end(&page);
    code = ssk_html_write(&page, folder, err);
  }
  ssk_text_free(&page);
  ssk_runs_free(&runs);
  free(recipe);
  return code;
}

/* Where they were measured. */
static int plot_samplers(struct ssk_plots *plots, const char *folder, ssk_err *err) {
  char *path = ssk_path_join(folder, ssk_sampler_costs_file), *lines = NULL;
  const bool measured = path && ssk_file_exists(path);
  int code = path ? SSK_OK : no_memory(folder, err);
  if (measured)
    code = read_file(folder, ssk_sampler_costs_file, &lines, err);
  if (!code && measured)
    code = ssk_plot_samplers(plots, lines, err);
  free(lines);
  free(path);
  return code;
}

int ssk_report_run(const char *folder, struct ssk_registry *registry, int threads, ssk_err *err) {
  struct ssk_plots plots = {0};
  struct ssk_run *run = NULL;
  struct ssk_pool *pool = NULL;
  char *metrics = NULL;
  int code = read_file(folder, "metrics.jsonl", &metrics, err);
  if (!code)
    code = ssk_plot_training(&plots, metrics, err);
  if (!code)
    code = ssk_plot_times(&plots, metrics, err);
  if (!code)
    code = ssk_run_open(folder, 0, NULL, registry, &run, err);
  if (!code)
    code = ssk_pool_new(threads, &pool, err);
  if (!code)
    code = ssk_plot_forecasts(&plots, run, pool, err);
  if (!code)
    code = plot_samplers(&plots, folder, err);
  if (!code)
    code = ssk_html_draw(&plots, folder, err);
  if (!code)
    code = run_page(folder, &plots, err);
  ssk_pool_free(pool);
  ssk_run_free(run);
  ssk_plots_free(&plots);
  free(metrics);
  return code;
}

/* ---- a comparison ---------------------------------------------------------------------------- */

static const json_t *cell_of(const json_t *row, const char *metric) {
  return json_object_get(json_object_get(row, "metrics"), metric);
}

/* Whether a row has a value: gnuplot takes a figure without any for a mistake. */
static bool is_scored(const json_t *rows, const char *metric) {
  bool any = false;
  for (size_t r = 0; r < json_array_size(rows); r++)
    any = any || !isnan(ssk_json_number(cell_of(json_array_get(rows, r), metric), "mean"));
  return any;
}

/* One figure a metric: mean and twice the standard error of each row. */
static int plot_metric(struct ssk_plots *plots, const json_t *rows, const char *metric,
                       ssk_err *err) {
  const json_t *first = cell_of(json_array_get(rows, 0), metric);
  struct ssk_plot *p = ssk_plots_add(plots, metric, metric, ssk_json_text(first, "definition"));
  size_t n = json_array_size(rows);
  if (!p)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the figures");
  ssk_text_add(&p->script, "set ytics (");
  for (size_t r = 0; r < n; r++) {
    const json_t *row = json_array_get(rows, r), *cell = cell_of(row, metric);
    double mean = ssk_json_number(cell, "mean"), se = ssk_json_number(cell, "se");
    ssk_text_add(&p->script, r ? ", " : "");
    ssk_plot_quote(&p->script, ssk_json_text(row, "name"));
    ssk_text_printf(&p->script, " %zu", n - r);
    if (!isnan(mean))
      ssk_text_printf(&p->data, "%.7g\t%zu\t%.7g\n", mean, n - r, isnan(se) ? 0 : 2 * se);
  }
  ssk_text_printf(&p->script,
                  ")\nset yrange [0.5:%zu.5]\nset offsets graph 0.05, graph 0.05, 0, 0\n"
                  "set xlabel '%s'\n"
                  "plot data using 1:2:3 with xerrorbars pointtype 7 pointsize 0.8 linewidth 2 "
                  "linecolor %s title 'mean, two standard errors'\n",
                  n, metric, ssk_plot_colour(0));
  return SSK_OK;
}

int ssk_report_comparison(const char *folder, ssk_err *err) {
  struct ssk_plots plots = {0};
  struct ssk_text page = {0};
  char *text = NULL;
  const char *metric;
  json_t *cell;
  int code = read_file(folder, "table.json", &text, err);
  json_t *table = code ? NULL : json_loads(text, 0, NULL), *rows = json_object_get(table, "rows");
  if (!code && !json_array_size(rows))
    code = ssk_err_set(err, SSK_EDATA, "'%s/table.json' is no table of a comparison", folder);
  json_object_foreach(json_object_get(json_array_get(rows, 0), "metrics"), metric, cell) {
    if (!code && is_scored(rows, metric))
      code = plot_metric(&plots, rows, metric, err);
  }
  if (!code)
    code = ssk_html_draw(&plots, folder, err);
  if (!code) {
    ssk_html_begin(&page, folder);
    ssk_table_html(&page, table);
    ssk_html_plots(&page, &plots);
    ssk_html_end(&page);
    code = ssk_html_write(&page, folder, err);
  }
  json_decref(table);
  free(text);
  ssk_text_free(&page);
  ssk_plots_free(&plots);
  return code;
}
