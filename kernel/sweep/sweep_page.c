/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sweep_page.c - figures and page from trials.json, so that neither storage nor recipe is needed.
 */
#include "sweep/sweep_page.h"
#include "core/file.h"
#include "core/json.h"
#include "report/report_html.h"
#include "report/table.h"
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int no_memory(ssk_err *err) {
  return ssk_err_set(err, SSK_ENOMEM, "no memory for the report of a sweep");
}

/* ---- figures --------------------------------------------------------------------------------- */

/* gnuplot takes a figure without any point for a mistake. */
static bool has_values(const json_t *trials) {
  size_t i;
  const json_t *t;
  bool any = false;
  json_array_foreach(trials, i, t) any = any || !isnan(ssk_json_number(t, "value"));
  return any;
}

static int plot_history(struct ssk_plots *plots, const json_t *trials, const char *metric,
                        ssk_err *err) {
  struct ssk_plot *p = ssk_plots_add(plots, "history", "Trials in their order",
                                     "Each finished trial, on the validation series.");
  size_t i;
  const json_t *t;
  if (!p)
    return no_memory(err);
  json_array_foreach(trials, i, t) if (!isnan(ssk_json_number(t, "value"))) ssk_text_printf(
      &p->data, "%.0f\t%.7g\n", ssk_json_number(t, "trial"), ssk_json_number(t, "value"));
  ssk_text_add(&p->script, "set xlabel 'trial'\nset ylabel ");
  ssk_plot_quote(&p->script, metric);
  ssk_text_printf(
      &p->script,
      "\nset offsets graph 0.02, graph 0.02, graph 0.05, graph 0.05\n"
      "plot data using 1:2 with points pointtype 7 pointsize 0.6 linecolor %s notitle\n",
      ssk_plot_colour(0));
  return SSK_OK;
}

static int plot_importance(struct ssk_plots *plots, const json_t *axes, ssk_err *err) {
  const size_t n = json_array_size(axes);
  bool any = false;
  for (size_t k = 0; k < n; k++)
    any = any || !isnan(ssk_json_number(json_array_get(axes, k), "importance"));
  struct ssk_plot *p =
      any ? ssk_plots_add(
                plots, "importance", "Importance of the axes",
                "Share of the variance of the trials' ranks that goes with an axis by "
                "itself (epsilon squared, Kelley 1935); what axes do together is in none.")
          : NULL;
  if (!p)
    return any ? no_memory(err) : SSK_OK;
  ssk_text_add(&p->script, "set ytics (");
  for (size_t k = 0; k < n; k++) {
    const json_t *axis = json_array_get(axes, k);
    const double share = ssk_json_number(axis, "importance");
    ssk_text_add(&p->script, k ? ", " : "");
    ssk_plot_quote(&p->script, ssk_json_text(axis, "key"));
    ssk_text_printf(&p->script, " %zu", n - k);
    if (!isnan(share))
      ssk_text_printf(&p->data, "0\t%zu\t%.4g\t0\n", n - k, share);
  }
  ssk_text_printf(&p->script,
                  ")\nset yrange [0.5:%zu.5]\nset xrange [0:1]\nset xlabel 'share'\n"
                  "plot data using 1:2:3:4 with vectors nohead linewidth 8 linecolor %s notitle\n",
                  n, ssk_plot_colour(0));
  return SSK_OK;
}

/* The trials' values along one axis. */
static int plot_slice(struct ssk_plots *plots, const json_t *axis, size_t number,
                      const json_t *trials, const char *metric, ssk_err *err) {
  const char *key = ssk_json_text(axis, "key");
  const json_t *values = json_object_get(axis, "values"), *value, *t;
  const size_t choices = json_array_size(values);
  char name[32];
  size_t i;
  snprintf(name, sizeof name, "slice_%zu", number);
  struct ssk_plot *p = ssk_plots_add(plots, name, key, "Finished trials, the later the darker.");
  if (!p)
    return no_memory(err);
  json_array_foreach(trials, i, t) if (!isnan(ssk_json_number(t, "value"))) ssk_text_printf(
      &p->data, "%.7g\t%.7g\t%.0f\n", ssk_json_number(json_object_get(t, "places"), key),
      ssk_json_number(t, "value"), ssk_json_number(t, "trial"));
  if (!strcmp(ssk_json_text(axis, "kind"), "loguniform"))
    ssk_text_add(&p->script, "set logscale x\nset format x '%.0e'\n");
  if (choices) {
    ssk_text_printf(&p->script, "set xrange [-0.5:%zu.5]\nset xtics (", choices - 1);
    json_array_foreach(values, i, value) {
      char text[40];
      snprintf(text, sizeof text, "%.36s", json_string_value(value));
      ssk_text_add(&p->script, i ? ", " : "");
      ssk_plot_quote(&p->script, text);
      ssk_text_printf(&p->script, " %zu", i);
    }
    ssk_text_add(&p->script, ")\n");
  }
  ssk_text_add(&p->script, "set offsets graph 0.02, graph 0.02, graph 0.05, graph 0.05\n"
                           "unset colorbox\nset palette defined (0 '#b4c8e0', 1 '#1f5fa5')\n"
                           "set xlabel ");
  ssk_plot_quote(&p->script, key);
  ssk_text_add(&p->script, "\nset ylabel ");
  ssk_plot_quote(&p->script, metric);
  ssk_text_add(&p->script, "\nplot data using 1:2:3 with points pointtype 7 pointsize 0.6 "
                           "linecolor palette notitle\n");
  return SSK_OK;
}

/* ---- the page -------------------------------------------------------------------------------- */

static void add_cell(struct ssk_text *page, const char *text) {
  ssk_text_add(page, "<td>");
  ssk_html_text(page, text);
  ssk_text_add(page, "</td>");
}

static void add_table(struct ssk_text *page, const json_t *sweep) {
  const json_t *axes = json_object_get(sweep, "axes"), *axis, *t;
  char number[48];
  size_t i, k;
  ssk_text_add(page, "<div class=\"wide\"><table>\n<tr><th>trial</th><th>");
  ssk_html_text(page, ssk_json_text(sweep, "metric"));
  ssk_text_add(page, "</th><th>state</th>");
  json_array_foreach(axes, k, axis) {
    ssk_text_add(page, "<th>");
    ssk_html_text(page, ssk_json_text(axis, "key"));
    ssk_text_add(page, "</th>");
  }
  ssk_text_add(page, "</tr>\n");
  json_array_foreach(json_object_get(sweep, "trials"), i, t) {
    ssk_text_printf(page, "<tr><td>%.0f</td>", ssk_json_number(t, "trial"));
    add_cell(page, ssk_table_number(number, ssk_json_number(t, "value"), ssk_json_number(t, "se")));
    add_cell(page, ssk_json_text(t, "state"));
    json_array_foreach(axes, k, axis)
        add_cell(page, ssk_json_text(json_object_get(t, "setting"), ssk_json_text(axis, "key")));
    ssk_text_add(page, "</tr>\n");
  }
  ssk_text_add(page, "</table></div>\n");
}

static int plot_all(struct ssk_plots *plots, const json_t *sweep, ssk_err *err) {
  const json_t *axes = json_object_get(sweep, "axes"), *axis;
  const json_t *trials = json_object_get(sweep, "trials");
  const char *metric = ssk_json_text(sweep, "metric");
  size_t k;
  int code = plot_history(plots, trials, metric, err);
  if (!code)
    code = plot_importance(plots, axes, err);
  json_array_foreach(axes, k, axis) if (!code) code =
      plot_slice(plots, axis, k + 1, trials, metric, err);
  return code;
}

int ssk_sweep_report(const char *folder, ssk_err *err) {
  struct ssk_plots plots = {0};
  struct ssk_text page = {0};
  char *text = NULL, *file = ssk_path_join(folder, "trials.json");
  size_t size;
  int code = file ? ssk_file_read(file, (size_t)1 << 28, &text, &size, err) : no_memory(err);
  json_t *sweep = code ? NULL : json_loads(text, 0, NULL);
  if (!code && !json_is_array(json_object_get(sweep, "trials")))
    code = ssk_err_set(err, SSK_EDATA, "'%s' is no table of trials", file);
  if (!code && has_values(json_object_get(sweep, "trials")))
    code = plot_all(&plots, sweep, err);
  if (!code)
    code = ssk_html_draw(&plots, folder, err);
  if (!code) {
    ssk_html_begin(&page, ssk_json_text(sweep, "sweep"));
    ssk_html_plots(&page, &plots);
    add_table(&page, sweep);
    ssk_html_end(&page);
    code = ssk_html_write(&page, folder, err);
  }
  json_decref(sweep);
  free(text);
  free(file);
  ssk_text_free(&page);
  ssk_plots_free(&plots);
  return code;
}
