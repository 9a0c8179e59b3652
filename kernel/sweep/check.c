/* SPDX-License-Identifier: GPL-3.0-or-later */
/* check.c - trial recipes: made by overrides, tried at the limits of the axes, and told apart from
 * those of other sweeps. */
#include "sweep/check.h"
#include "core/file.h"
#include "infer/evaluate.h"
#include <stdlib.h>
#include <string.h>

static int no_memory(ssk_err *err) {
  return ssk_err_set(err, SSK_ENOMEM, "no memory for the recipe of a trial");
}

/* Where the value of an axis at this point stands. */
static const struct ssk_node *item_at(const struct ssk_axis *axis, double point) {
  const struct ssk_node *item = axis->items;
  int64_t k = axis->values ? ssk_axis_index(axis, point) : point < 0.5 ? 0 : 1;
  while (k-- > 0 && item && item->next)
    item = item->next;
  return item ? item : axis->node;
}

/* The base recipe with `set`, then axes at these points (NULL: none), then the seed. What is wrong
 * with an override is diagnosed where it stands in the sweep's recipe. */
static int load(const struct ssk_sweep *s, const double *point, uint64_t seed,
                struct ssk_registry *registry, struct ssk_experiment **out, ssk_err *err) {
  const int n = s->set.n, axes = point ? s->axes.n : 0;
  struct ssk_override *set = calloc((size_t)(n + axes) + 1, sizeof *set);
  struct ssk_text *texts = calloc((size_t)axes + 1, sizeof *texts);
  char last[48];
  bool failed = !set || !texts;
  *out = NULL;
  if (!failed)
    ssk_overrides_of_set(s->tree->root, &s->set, set);
  for (int k = 0; k < axes && !failed; k++) {
    const struct ssk_axis *axis = &s->axes.items[k];
    ssk_text_printf(&texts[k], "%s=", axis->key);
    ssk_axis_value(axis, point[k], &texts[k]);
    set[n + k] = (struct ssk_override){
        .text = texts[k].data, .key = axis->node->key_pos, .value = item_at(axis, point[k])->pos};
    failed = texts[k].failed;
  }
  snprintf(last, sizeof last, "seed=%llu", (unsigned long long)seed);
  int code = SSK_OK;
  if (!failed) {
    set[n + axes].text = last;
    code = ssk_experiment_load_placed(s->sweep.recipe, n + axes + 1, set, registry, out, err);
  } else {
    code = no_memory(err);
  }
  for (int k = 0; texts && k < axes; k++)
    ssk_text_free(&texts[k]);
  free(texts);
  free(set);
  return code;
}

int ssk_sweep_experiment(const struct ssk_sweep *sweep, const double *point, uint64_t seed,
                         struct ssk_registry *registry, struct ssk_experiment **out, ssk_err *err) {
  return load(sweep, point, seed, registry, out, err);
}

/* ---- trying ---------------------------------------------------------------------------------- */

static int try_point(const struct ssk_sweep *s, const double *point, struct ssk_registry *registry,
                     ssk_err *err) {
  struct ssk_experiment *e = NULL;
  int code = load(s, point, (uint64_t)s->sweep.seeds.items[0], registry, &e, err);
  ssk_experiment_free(e);
  return code;
}

/* The values of an axis that are tried: all where they are listed or on a grid; else both limits,
 * and one between them that is no whole number by chance. */
static int64_t trials_of(const struct ssk_axis *axis) {
  return axis->values || axis->kind == SSK_AXIS_GRID ? axis->n : axis->kind == SSK_AXIS_INT ? 2 : 3;
}

static double trial_of(const struct ssk_axis *axis, int64_t i) {
  const bool all = axis->values || axis->kind == SSK_AXIS_GRID;
  return all ? ssk_axis_point(axis, i) : i == 1 ? 1 : 0.381966;
}

/* What is wrong with one value of an axis is said once. */
static int try_axes(const struct ssk_sweep *s, struct ssk_registry *registry, ssk_err *err) {
  double *point = calloc((size_t)s->axes.n, sizeof *point);
  if (!point)
    return no_memory(err);
  for (int k = 0; k < s->axes.n; k++) /* the least value that there is */
    point[k] = s->axes.items[k].n ? ssk_axis_point(&s->axes.items[k], 0) : 0;
  int code = try_point(s, point, registry, err);
  for (int k = 0; k < s->axes.n && !code; k++) {
    const struct ssk_axis *axis = &s->axes.items[k];
    const double first = point[k];
    for (int64_t i = 1; i < trials_of(axis) && !code; i++) {
      point[k] = trial_of(axis, i);
      code = try_point(s, point, registry, err);
    }
    point[k] = first;
  }
  free(point);
  return code;
}

/* ---- the metric ------------------------------------------------------------------------------ */

static int find_metric(struct ssk_sweep *s, const struct ssk_experiment *e, ssk_err *err) {
  const int n = ssk_metric_column_count(&e->evaluate);
  struct ssk_metric_column *columns = calloc((size_t)n + 1, sizeof *columns);
  struct ssk_nearest nearest = {.wanted = s->sweep.metric};
  if (!columns)
    return no_memory(err);
  ssk_metric_columns(&e->evaluate, columns);
  s->column = -1;
  for (int c = 0; c < n; c++) {
    ssk_nearest_offer(&nearest, columns[c].name);
    if (!strcmp(columns[c].name, s->sweep.metric)) {
      s->column = c;
      s->better = columns[c].better;
      s->ideal = columns[c].ideal;
    }
  }
  int code = SSK_OK;
  if (s->column < 0) {
    const struct ssk_node *node = ssk_node_find(s->tree->root, "sweep.metric");
    code = ssk_err_at(err, SSK_ERECIPE, node ? &node->pos : NULL,
                      "the recipe's evaluate.metrics have no '%s'", s->sweep.metric);
    if (nearest.best)
      ssk_err_hint(err, "did you mean '%s'?", nearest.best);
    else
      ssk_err_hint(err, "add it there, or by set: [\"evaluate.metrics=[%s]\"]", s->sweep.metric);
  }
  free(columns);
  return code;
}

/* ---- identity -------------------------------------------------------------------------------- */

/* What does not change a trial: how many there are, where they are kept, when one is given up. */
static bool is_incidental(const char *row) {
  static const char *const rows[] = {"recipe", "trials", "storage", "lease", "losses"};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    if (!strcmp(row, rows[i]))
      return true;
  return false;
}

static int identify(struct ssk_sweep *s, const struct ssk_param *section,
                    const struct ssk_experiment *base, ssk_err *err) {
  struct ssk_text text = {0};
  ssk_text_printf(&text, "name: %s\nsweep:\n", s->name);
  for (const struct ssk_param *row = section; row->name; row++) {
    const struct ssk_param pair[] = {*row, SSK_PARAM_END};
    if (!is_incidental(row->name))
      ssk_schema_dump(pair, &s->sweep, 2, &text);
  }
  ssk_text_add(&text, "  axes:\n");
  for (int k = 0; k < s->axes.n; k++) {
    const struct ssk_axis *axis = &s->axes.items[k];
    char low[32], high[32];
    ssk_text_printf(&text, "    %s: {%s: [", axis->key, ssk_axis_kind_name(axis->kind));
    for (int64_t i = 0; axis->values && i < axis->n; i++)
      ssk_text_printf(&text, "%s%s", i ? ", " : "", axis->values[i]);
    if (!axis->values)
      ssk_text_printf(&text, "%s, %s", ssk_text_double(low, axis->low),
                      ssk_text_double(high, axis->high));
    if (axis->kind == SSK_AXIS_GRID)
      ssk_text_printf(&text, ", %lld", (long long)axis->n);
    ssk_text_add(&text, "]}\n");
  }
  char *recipe = ssk_experiment_dump(base);
  ssk_text_printf(&text, "# the recipe that each trial changes\n%s", recipe ? recipe : "");
  const bool failed = text.failed || !recipe;
  free(recipe);
  if (failed) {
    ssk_text_free(&text);
    return no_memory(err);
  }
  s->identity = text.data;
  return SSK_OK;
}

int ssk_sweep_check(struct ssk_sweep *s, const struct ssk_param *section,
                    struct ssk_registry *registry, ssk_err *err) {
  struct ssk_experiment *base = NULL;
  const struct ssk_node *file = ssk_node_find(s->tree->root, "sweep.recipe");
  if (!ssk_file_exists(s->sweep.recipe))
    return ssk_err_at(err, SSK_ERECIPE, file ? &file->pos : NULL, "there is no recipe '%s'",
                      file ? file->text : s->sweep.recipe);
  int code = load(s, NULL, (uint64_t)s->sweep.seeds.items[0], registry, &base, err);
  if (!code)
    code = find_metric(s, base, err);
  if (!code)
    code = try_axes(s, registry, err);
  if (!code)
    code = identify(s, section, base, err);
  ssk_experiment_free(base);
  return code;
}
