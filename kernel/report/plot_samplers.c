/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plot_samplers.c - quality against cost of a diffusion's samplers, from samplers.jsonl. */
#include "report/plot_run.h"
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a figure is drawn of, where it was measured: the others follow these. */
static const char *const metrics[] = {"jsd", "crps", "energy_score", "kernel_jsd"};
enum { N_METRICS = sizeof metrics / sizeof metrics[0] };

static const char *text_of(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text ? text : "";
}

static double figure_of(const json_t *point, const char *metric, const char *key) {
  const json_t *value =
      json_object_get(json_object_get(json_object_get(point, "metrics"), metric), key);
  return json_is_number(value) ? json_number_value(value) : NAN;
}

static int64_t evaluations_of(const json_t *point) {
  return json_integer_value(json_object_get(point, "evaluations"));
}

/* By curve, that is by sampler and settings, then by what a draw costs. */
static int compare(const void *a, const void *b) {
  const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
  int order = strcmp(text_of(x, "sampler"), text_of(y, "sampler"));
  if (!order)
    order = strcmp(text_of(x, "settings"), text_of(y, "settings"));
  if (!order)
    order = (evaluations_of(x) > evaluations_of(y)) - (evaluations_of(x) < evaluations_of(y));
  return order;
}

static bool same_curve(const json_t *a, const json_t *b) {
  return !strcmp(text_of(a, "sampler"), text_of(b, "sampler")) &&
         !strcmp(text_of(a, "settings"), text_of(b, "settings"));
}

/* The points as references; *n of them; NULL without memory. */
static json_t **read_points(const char *lines, size_t *n) {
  size_t capacity = 1;
  for (const char *c = lines; *c; c++)
    capacity += *c == '\n';
  json_t **points = calloc(capacity, sizeof *points);
  *n = 0;
  for (const char *line = lines; points && *line;) {
    const size_t length = strcspn(line, "\n");
    json_t *object = json_loadb(line, length, 0, NULL);
    if (json_is_object(object))
      points[(*n)++] = object;
    else
      json_decref(object);
    line += length + (line[length] == '\n');
  }
  if (points)
    qsort(points, *n, sizeof *points, compare);
  return points;
}

/* One more curve of the figure: block `index` of its numbers. */
static void add_curve(struct ssk_plot *p, const json_t *point, int index) {
  const char *settings = text_of(point, "settings");
  char title[160];
  snprintf(title, sizeof title, "%s%s%s", text_of(point, "sampler"), *settings ? ", " : "",
           settings);
  ssk_text_printf(&p->script,
                  "%s data index %d using 1:2 with linespoints linewidth 2 dashtype %d pointtype "
                  "%d pointsize 0.6 linecolor %s title ",
                  index ? ", \\\n " : "plot", index, 1 + index / SSK_PLOT_COLOURS,
                  index / SSK_PLOT_COLOURS % 2 ? 6 : 7, ssk_plot_colour(index));
  ssk_plot_quote(&p->script, title);
}

static int count_curves(json_t *const *points, size_t n) {
  int curves = n > 0;
  for (size_t i = 1; i < n; i++)
    curves += !same_curve(points[i - 1], points[i]);
  return curves;
}

static int draw(struct ssk_plots *plots, json_t *const *points, size_t n, const char *metric,
                ssk_err *err) {
  char name[48], title[96], note[320];
  int curves = 0;
  const json_t *last = NULL; /* that was drawn */
  snprintf(name, sizeof name, "samplers_%s", metric);
  snprintf(title, sizeof title, "Cost of sampling: %s", metric);
  snprintf(note, sizeof note,
           "Over network evaluations for each latent step that is drawn, at the weights of step "
           "%lld, on %lld series that are the same for all; lower is better.",
           (long long)json_integer_value(json_object_get(points[0], "checkpoint_step")),
           (long long)json_integer_value(json_object_get(points[0], "series")));
  struct ssk_plot *p = ssk_plots_add(plots, name, title, note);
  if (!p)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the figures");
  ssk_text_printf(&p->script,
                  "set xlabel 'evaluations a step'\nset ylabel '%s'\nset logscale x 2\n"
                  "set offsets graph 0.02, graph 0.02, graph 0.05, graph 0.05\n",
                  metric);
  if (count_curves(points, n) > SSK_PLOT_COLOURS) /* where falling curves leave room for many */
    ssk_text_add(&p->script, "set key inside top right vertical\n");
  for (size_t i = 0; i < n; i++) {
    const double mean = figure_of(points[i], metric, "mean");
    if (isnan(mean))
      continue;
    if (!last || !same_curve(last, points[i])) {
      ssk_text_add(&p->data, last ? "\n\n" : "");
      add_curve(p, points[i], curves++);
    }
    ssk_text_printf(&p->data, "%lld\t%.7g\t%.7g\n", (long long)evaluations_of(points[i]), mean,
                    figure_of(points[i], metric, "se"));
    last = points[i];
  }
  ssk_text_add(&p->script, "\n");
  return SSK_OK;
}

static bool is_measured(json_t *const *points, size_t n, const char *metric) {
  bool any = false;
  for (size_t i = 0; i < n; i++)
    any = any || !isnan(figure_of(points[i], metric, "mean"));
  return any;
}

int ssk_plot_samplers(struct ssk_plots *plots, const char *lines, ssk_err *err) {
  size_t n;
  json_t **points = read_points(lines, &n);
  int code = points ? SSK_OK : ssk_err_set(err, SSK_ENOMEM, "no memory for the figures");
  for (int m = 0; m < N_METRICS && !code; m++)
    if (is_measured(points, n, metrics[m]))
      code = draw(plots, points, n, metrics[m], err);
  for (size_t i = 0; i < n; i++)
    json_decref(points[i]);
  free(points);
  return code;
}
