/* SPDX-License-Identifier: GPL-3.0-or-later */
/* expect.c - reading expectations. */
#include "model/expect.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const ssk_expect_senses[] = {"near", "at_most", "at_least", NULL};

const struct ssk_param ssk_expect_rows[] = {
    SSK_PARAM_STRING(struct ssk_expect, row, "",
                     "Row of the comparison; not needed where the recipe trains one model."),
    SSK_PARAM_STRING(struct ssk_expect, metric, NULL,
                     "Column of the table, such as crps or, at one step, crps_h1."),
    SSK_PARAM_STRING(struct ssk_expect, definition, NULL,
                     "Identity of the metric: its name with all parameters, as evaluate --json "
                     "gives it under `id`. Another definition is another figure, and fails."),
    SSK_PARAM_REAL(struct ssk_expect, value, NULL, -INFINITY, INFINITY, NULL,
                   "The figure that is expected."),
    SSK_PARAM_REAL(struct ssk_expect, tolerance, NULL, 0, INFINITY, NULL,
                   "How far from the value it may be."),
    SSK_PARAM_ENUM(struct ssk_expect, sense, "near", ssk_expect_senses,
                   "near: within the tolerance on either side; at_most, at_least: not beyond it on "
                   "that side."),
    SSK_PARAM_STRING(struct ssk_expect, source, NULL, "Where the value is from."),
    SSK_PARAM_END};

struct quick {
  struct ssk_strings set;
};
const struct ssk_param ssk_quick_rows[] = {
    SSK_PARAM_STRINGS(struct quick, set, NULL,
                      "Overrides a.b=c that make the recipe quick, as on the command line."),
    SSK_PARAM_END};

const char *const ssk_recipe_skipped[] = {"base", "expect", "quick", NULL};

static const struct ssk_component *no_component(void *state, enum ssk_kind kind, const char *name,
                                                const struct ssk_pos *pos, ssk_err *err) {
  (void)state, (void)kind, (void)name;
  ssk_err_at(err, SSK_ERECIPE, pos, "an expectation has no components");
  return NULL;
}

/* The list `node` into out->items. */
static int read_list(const struct ssk_node *node, const char *path, struct ssk_expectations *out,
                     ssk_err *err) {
  struct ssk_maker maker = {.find = no_component};
  if (node->type != SSK_NODE_LIST || !node->first) {
    ssk_err_at(err, SSK_ERECIPE, &node->pos, "%s must be a list of expectations", path);
    ssk_err_hint(err, "- {metric: crps, definition: crps, value: 2.06, tolerance: 0.05, "
                      "source: \"...\"}");
    return SSK_ERECIPE;
  }
  size_t n = 0;
  for (const struct ssk_node *item = node->first; item; item = item->next)
    n++;
  out->items = ssk_arena_alloc(&out->arena, n * sizeof *out->items);
  if (!out->items)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the expectations");
  int code = SSK_OK;
  for (const struct ssk_node *item = node->first; item; item = item->next) {
    struct ssk_expect *expect = &out->items[out->n];
    *expect = (struct ssk_expect){.pos = item->pos};
    int failure =
        item->type == SSK_NODE_MAP
            ? ssk_schema_fill(ssk_expect_rows, expect, item, path, NULL, &maker, &out->arena, err)
            : ssk_err_at(err, SSK_ERECIPE, &item->pos,
                         "an expectation is a map of metric, definition, value, "
                         "tolerance and source");
    code = code ? code : failure;
    out->n += !failure;
  }
  return code;
}

static int read_quick(const struct ssk_node *node, struct ssk_expectations *out, ssk_err *err) {
  struct ssk_maker maker = {.find = no_component};
  static const char *const also[] = {"expect", NULL};
  struct quick quick = {0};
  if (node->type != SSK_NODE_MAP)
    return ssk_err_at(err, SSK_ERECIPE, &node->pos, "quick must be a map of set and expect");
  int code = ssk_schema_fill(ssk_quick_rows, &quick, node, "quick", also, &maker, &out->arena, err);
  const struct ssk_node *list = ssk_node_get(node, "expect");
  out->set = quick.set;
  if (!list)
    return ssk_err_at(err, SSK_ERECIPE, &node->pos,
                      "quick needs expectations of its own: a quick version reaches other figures");
  int failure = read_list(list, "quick.expect", out, err);
  return code ? code : failure;
}

int ssk_expectations_load(const char *path, bool quick, struct ssk_expectations *out,
                          ssk_err *err) {
  *out = (struct ssk_expectations){0};
  out->tree = ssk_tree_load(path, 0, NULL, getenv("SSKIT_RECIPE_PATH"), err);
  if (!out->tree)
    return ssk_err_code(err) ? ssk_err_code(err) : SSK_ENOMEM;
  const struct ssk_node *node = ssk_node_get(out->tree->root, quick ? "quick" : "expect");
  if (!node) {
    ssk_err_set(err, SSK_ERECIPE, "'%s' has no '%s': there is nothing to reproduce", path,
                quick ? "quick" : "expect");
    if (ssk_node_get(out->tree->root, quick ? "expect" : "quick"))
      ssk_err_hint(err, quick ? "it has 'expect': leave out --quick" : "it has 'quick': --quick");
    return SSK_ERECIPE;
  }
  return quick ? read_quick(node, out, err) : read_list(node, "expect", out, err);
}

void ssk_expectations_free(struct ssk_expectations *expectations) {
  ssk_arena_free(&expectations->arena);
  ssk_tree_free(expectations->tree);
  *expectations = (struct ssk_expectations){0};
}

int ssk_expectations_check(const struct ssk_tree *tree, ssk_err *err) {
  const struct ssk_node *expect = ssk_node_get(tree->root, "expect");
  const struct ssk_node *quick = ssk_node_get(tree->root, "quick");
  struct ssk_expectations scratch = {0};
  int code = expect ? read_list(expect, "expect", &scratch, err) : SSK_OK;
  scratch.n = 0;
  int failure = quick ? read_quick(quick, &scratch, err) : SSK_OK;
  ssk_arena_free(&scratch.arena);
  return code ? code : failure;
}

bool ssk_expect_met(const struct ssk_expect *expect, double figure) {
  switch ((enum ssk_expect_sense)expect->sense) {
  case SSK_EXPECT_AT_MOST:
    return figure <= expect->value + expect->tolerance;
  case SSK_EXPECT_AT_LEAST:
    return figure >= expect->value - expect->tolerance;
  default:
    return fabs(figure - expect->value) <= expect->tolerance;
  }
}
