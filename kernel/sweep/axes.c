/* SPDX-License-Identifier: GPL-3.0-or-later */
/* axes.c - axes from a recipe, and values from points. */
#include "sweep/axes.h"
#include "recipe/typing.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

static const char *const kinds[] = {"uniform", "loguniform", "int", "grid", "list", "categorical"};
enum { n_kinds = sizeof kinds / sizeof kinds[0], max_values = 10000 };

const char *ssk_axis_kind_name(enum ssk_axis_kind kind) {
  return kinds[kind];
}

/* ---- reading --------------------------------------------------------------------------------- */

static int count_of(const struct ssk_node *list) {
  int n = 0;
  for (const struct ssk_node *item = list->first; item; item = item->next)
    n++;
  return n;
}

static int wrong(ssk_err *err, const struct ssk_node *at, const char *key, const char *what) {
  return ssk_err_at(err, SSK_ERECIPE,
                    at->type == SSK_NODE_SCALAR || !at->key ? &at->pos : &at->key_pos,
                    "axis '%s': %s", key, what);
}

/* A node as YAML in one line, as overrides take it. */
static void add_flow(struct ssk_text *out, const struct ssk_node *node) {
  if (node->type == SSK_NODE_SCALAR) {
    if (!node->quoted) {
      ssk_text_add(out, node->text);
      return;
    }
    ssk_text_add(out, "\"");
    for (const char *c = node->text; *c; c++)
      ssk_text_printf(out, *c == '"' || *c == '\\' ? "\\%c" : *c == '\n' ? "\\n" : "%c", *c);
    ssk_text_add(out, "\"");
    return;
  }
  const bool map = node->type == SSK_NODE_MAP;
  ssk_text_add(out, map ? "{" : "[");
  for (const struct ssk_node *child = node->first; child; child = child->next) {
    if (map)
      ssk_text_printf(out, "%s: ", child->key);
    add_flow(out, child);
    ssk_text_add(out, child->next ? ", " : "");
  }
  ssk_text_add(out, map ? "}" : "]");
}

static int read_choices(struct ssk_axis *axis, const struct ssk_node *list, struct ssk_arena *arena,
                        ssk_err *err) {
  axis->n = count_of(list);
  if (axis->n < 1 || axis->n > max_values)
    return wrong(err, list, axis->key,
                 axis->n ? "more than 10000 values" : "there is no value in the list");
  axis->values = ssk_arena_zalloc(arena, (size_t)axis->n * sizeof *axis->values);
  int64_t k = 0;
  for (const struct ssk_node *item = list->first; item && axis->values; item = item->next) {
    struct ssk_text text = {0};
    add_flow(&text, item);
    axis->values[k] = text.failed ? NULL : ssk_arena_strdup(arena, text.data ? text.data : "");
    ssk_text_free(&text);
    if (!axis->values[k])
      return ssk_err_set(err, SSK_ENOMEM, "no memory for the axes");
    for (int64_t i = 0; i < k; i++)
      if (!strcmp(axis->values[i], axis->values[k]))
        return wrong(err, item, axis->key, "the same value stands in it twice");
    k++;
  }
  return axis->values ? SSK_OK : ssk_err_set(err, SSK_ENOMEM, "no memory for the axes");
}

/* [low, high], of a grid [low, high, points]. */
static int read_range(struct ssk_axis *axis, const struct ssk_node *list, ssk_err *err) {
  const bool whole = axis->kind == SSK_AXIS_INT, grid = axis->kind == SSK_AXIS_GRID;
  double limits[3] = {0, 0, 0};
  if (list->type != SSK_NODE_LIST || count_of(list) != (grid ? 3 : 2))
    return wrong(err, list, axis->key,
                 grid ? "a grid is [low, high, number of values]" : "a range is [low, high]");
  int k = 0;
  for (const struct ssk_node *item = list->first; item; item = item->next, k++) {
    int64_t number;
    const bool is_number = item->type == SSK_NODE_SCALAR && !item->quoted &&
                           ssk_text_read_double(item->text, &limits[k]) && isfinite(limits[k]);
    if (!is_number)
      return wrong(err, item, axis->key, "limits are numbers");
    if ((whole || k == 2) && (!ssk_typing_int(item->text, &number) || fabs(limits[k]) > 9e15))
      return wrong(err, item, axis->key, "a whole number is needed here");
  }
  axis->low = limits[0];
  axis->high = limits[1];
  if (!(axis->low < axis->high))
    return wrong(err, list, axis->key, "the lower limit must be less than the upper one");
  if (axis->kind == SSK_AXIS_LOGUNIFORM && axis->low <= 0)
    return wrong(err, list, axis->key, "a logarithm needs limits above 0");
  if (grid && (limits[2] < 2 || limits[2] > max_values))
    return wrong(err, list, axis->key, "a grid has 2 to 10000 values");
  axis->n = grid ? (int64_t)limits[2] : whole ? (int64_t)(axis->high - axis->low) + 1 : 0;
  return SSK_OK;
}

static int read_axis(struct ssk_axis *axis, const struct ssk_node *node, struct ssk_arena *arena,
                     ssk_err *err) {
  *axis = (struct ssk_axis){.key = node->key, .node = node};
  if (node->type == SSK_NODE_LIST) { /* short for {list: [...]} */
    axis->kind = SSK_AXIS_LIST;
    axis->items = node->first;
    return read_choices(axis, node, arena, err);
  }
  const struct ssk_node *how = node->type == SSK_NODE_MAP ? node->first : NULL;
  if (!how || how->next) {
    wrong(err, node, node->key, "it needs one kind of values");
    ssk_err_hint(err, "{loguniform: [1e-4, 1e-2]}, {uniform: [0, 1]}, {int: [1, 8]}, {grid: [0, 1, "
                      "5]}, {list: [8, 16]} or {categorical: [a, b]}");
    return SSK_ERECIPE;
  }
  struct ssk_nearest nearest = {.wanted = how->key};
  int kind = 0;
  for (; kind < n_kinds && strcmp(kinds[kind], how->key); kind++)
    ssk_nearest_offer(&nearest, kinds[kind]);
  if (kind == n_kinds) {
    ssk_err_at(err, SSK_ERECIPE, &how->key_pos, "axis '%s': unknown kind of values '%s'", node->key,
               how->key);
    if (nearest.best)
      ssk_err_hint(err, "did you mean '%s'?", nearest.best);
    else
      ssk_err_hint(err, "one of uniform, loguniform, int, grid, list, categorical");
    return SSK_ERECIPE;
  }
  axis->kind = (enum ssk_axis_kind)kind;
  axis->items = how->first;
  if (kind != SSK_AXIS_LIST && kind != SSK_AXIS_CATEGORICAL)
    return read_range(axis, how, err);
  return how->type == SSK_NODE_LIST ? read_choices(axis, how, arena, err)
                                    : wrong(err, how, node->key, "values are a list");
}

int ssk_axes_read(const struct ssk_node *map, struct ssk_arena *arena, struct ssk_axes *out,
                  ssk_err *err) {
  *out = (struct ssk_axes){0};
  const int n = map->type == SSK_NODE_MAP ? count_of(map) : 0;
  if (!n) {
    ssk_err_at(err, SSK_ERECIPE, &map->key_pos, "sweep.axes names no key to vary");
    ssk_err_hint(err, "axes: {training.learning_rate.transition: {loguniform: [1e-4, 1e-2]}}");
    return SSK_ERECIPE;
  }
  out->items = ssk_arena_zalloc(arena, (size_t)n * sizeof *out->items);
  if (!out->items)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the axes");
  int code = SSK_OK;
  for (const struct ssk_node *node = map->first; node; node = node->next) {
    int failure = SSK_OK;
    if (!strcmp(node->key, "seed")) {
      failure = ssk_err_at(err, SSK_ERECIPE, &node->key_pos, "'seed' is no axis");
      ssk_err_hint(err, "sweep.seeds trains each trial with several: no seed is searched for");
    } else {
      failure = read_axis(&out->items[out->n++], node, arena, err);
    }
    code = code ? code : failure;
  }
  return code;
}

/* ---- values ---------------------------------------------------------------------------------- */

int64_t ssk_axis_index(const struct ssk_axis *axis, double point) {
  const int64_t k = (int64_t)floor(point * (double)axis->n);
  return k < 0 ? 0 : k >= axis->n ? axis->n - 1 : k;
}

double ssk_axis_point(const struct ssk_axis *axis, int64_t index) {
  return ((double)index + 0.5) / (double)axis->n;
}

void ssk_axes_snap(const struct ssk_axes *axes, double *point) {
  for (int k = 0; k < axes->n; k++)
    if (axes->items[k].n)
      point[k] = ssk_axis_point(&axes->items[k], ssk_axis_index(&axes->items[k], point[k]));
}

double ssk_axis_number(const struct ssk_axis *axis, double point) {
  char text[32];
  double value;
  int digits = 6;
  switch (axis->kind) {
  case SSK_AXIS_INT:
    return axis->low + (double)ssk_axis_index(axis, point);
  case SSK_AXIS_LIST:
  case SSK_AXIS_CATEGORICAL:
    return (double)ssk_axis_index(axis, point);
  case SSK_AXIS_GRID:
    value = axis->low +
            (axis->high - axis->low) * (double)ssk_axis_index(axis, point) / (double)(axis->n - 1);
    digits = 12; /* neighbours stay apart */
    break;
  case SSK_AXIS_LOGUNIFORM:
    value = axis->low * pow(axis->high / axis->low, point);
    break;
  default:
    value = axis->low + (axis->high - axis->low) * point;
  }
  /* What is trained with is what is shown. */
  snprintf(text, sizeof text, "%.*g", digits, value);
  return ssk_text_read_double(text, &value) ? fmin(fmax(value, axis->low), axis->high) : value;
}

void ssk_axis_value(const struct ssk_axis *axis, double point, struct ssk_text *out) {
  char number[32];
  if (axis->values)
    ssk_text_add(out, axis->values[ssk_axis_index(axis, point)]);
  else if (axis->kind == SSK_AXIS_INT)
    ssk_text_printf(out, "%" PRId64, (int64_t)ssk_axis_number(axis, point));
  else
    ssk_text_add(out, ssk_text_double(number, ssk_axis_number(axis, point)));
}
