/* SPDX-License-Identifier: GPL-3.0-or-later */
/* explain.c - sskit explain: the value of a recipe's key and where it came from.
 *
 * The typed recipe is walked by its rows, through sections and components, down to the key; the
 * tree beside it tells the place. A key with others beneath it explains all of them, a line each.
 */
#include "cli/cli.h"
#include "cli/page.h"
#include "model/study.h"
#include "recipe/tree.h"
#include "sweep/recipe.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct ssk_syntax syntax = {
    .doc = "Show the value of KEY (model.transition.levels, say) in RECIPE with its bases and the "
           "overrides: where the value came from (file and line, an override, or the default), "
           "what it replaced, and what the key means. For a section or a component, all keys "
           "beneath it are shown; without KEY, all keys of the recipe. With --json, the result is "
           "a list of objects.",
    .min_words = 1,
    .max_words = 2,
    .overrides = true,
};

/* A place in the typed recipe: a row of a struct, or (row NULL) a whole table of rows. */
struct place {
  const char *path;
  const struct ssk_param *row;  /* NULL for an instance that stands in a list, and for the root */
  const struct ssk_param *rows; /* of what lies beneath; NULL: nothing does */
  const char *base;             /* the struct that `row` describes */
  const char *beneath;          /* the struct that `rows` describe */
  const struct ssk_instance *instance; /* where the place is a component */
};

static const void *member(const struct place *place) {
  return place->base + place->row->offset;
}

/* What lies beneath an instance; NULL is an absent optional component. */
static void enter_instance(struct place *place, const struct ssk_instance *instance) {
  place->instance = instance;
  place->rows = instance ? instance->component->params : NULL;
  place->beneath = instance ? instance->self : NULL;
}

static struct place at_row(const char *path, const struct ssk_param *row, const char *base) {
  struct place place = {.path = path, .row = row, .base = base};
  if (row->type == SSK_T_SECTION) {
    place.rows = row->rows;
    place.beneath = member(&place);
  } else if (row->type == SSK_T_COMPONENT) {
    enter_instance(&place, *(struct ssk_instance *const *)member(&place));
  }
  return place;
}

static bool is_components(const struct place *place) {
  return place->row && place->row->type == SSK_T_COMPONENTS;
}

/* ---- finding the key --------------------------------------------------------------------------
 */

static int no_key(const struct place *place, const char *key, ssk_err *err) {
  struct ssk_nearest nearest = {.wanted = key};
  for (const struct ssk_param *row = place->rows; row && row->name; row++)
    ssk_nearest_offer(&nearest, row->name);
  if (*place->path)
    ssk_err_set(err, SSK_EUSAGE, "there is no key '%s' in '%s'", key, place->path);
  else
    ssk_err_set(err, SSK_EUSAGE, "there is no key '%s'", key);
  if (nearest.best)
    ssk_err_hint(err, "did you mean '%s'?", nearest.best);
  return SSK_EUSAGE;
}

/* One step down from *place to `key`; `path` is the way to it. */
static int step(struct place *place, const char *key, const char *path, ssk_err *err) {
  if (is_components(place)) {
    const struct ssk_instances *list = member(place);
    char *end;
    long i = strtol(key, &end, 10);
    if (*end || end == key || i < 0 || i >= list->n)
      return ssk_err_set(err, SSK_EUSAGE, "'%s' has the items 0 to %d, not '%s'", place->path,
                         list->n - 1, key);
    *place = (struct place){.path = path};
    enter_instance(place, list->items[i]);
    return SSK_OK;
  }
  for (const struct ssk_param *row = place->rows; row && row->name; row++)
    if (strcmp(row->name, key) == 0) {
      *place = at_row(path, row, place->beneath);
      return SSK_OK;
    }
  return no_key(place, key, err);
}

static int descend(struct place *place, const char *key, struct ssk_arena *arena, ssk_err *err) {
  for (const char *part = key;; part++) {
    size_t n = strcspn(part, ".");
    char *name = ssk_arena_printf(arena, "%.*s", (int)n, part);
    char *path = ssk_arena_printf(arena, "%.*s", (int)(part + n - key), key);
    if (!name || !path)
      return ssk_err_set(err, SSK_ENOMEM, "no memory for the key");
    /* "x.use" is the name of component x: the place of x itself. */
    if (strcmp(name, "use") == 0 && !part[n] && place->instance)
      return SSK_OK;
    int code = step(place, name, path, err);
    if (code || !part[n])
      return code;
    part += n;
  }
}

/* ---- values and origins ------------------------------------------------------------------------
 */

static void add_value(struct ssk_text *out, const struct place *place) {
  if (place->instance)
    ssk_text_add(out, place->instance->component->name);
  else if (place->row)
    ssk_schema_value(place->row, place->base, out);
}

/* A node as YAML flow text. */
static void add_node(struct ssk_text *out, const struct ssk_node *node) {
  if (node->type == SSK_NODE_SCALAR) {
    ssk_text_printf(out, node->quoted ? "\"%s\"" : "%s", node->text);
    return;
  }
  const bool map = node->type == SSK_NODE_MAP;
  ssk_text_add(out, map ? "{" : "[");
  for (const struct ssk_node *child = node->first; child; child = child->next) {
    if (child != node->first)
      ssk_text_add(out, ", ");
    if (map)
      ssk_text_printf(out, "%s: ", child->key);
    add_node(out, child);
  }
  ssk_text_add(out, map ? "}" : "]");
}

/* The node that gave the value; NULL: the default. */
static const struct ssk_node *origin(const struct ssk_tree *tree, const struct place *place) {
  const struct ssk_node *node = ssk_node_find(tree->root, place->path);
  const struct ssk_node *use =
      node && place->instance && node->type == SSK_NODE_MAP ? ssk_node_get(node, "use") : NULL;
  return use ? use : node;
}

static bool is_override(const struct ssk_node *node) {
  return node->pos.file && strncmp(node->pos.file, "override", 8) == 0;
}

static void add_origin(struct ssk_text *out, const struct ssk_node *node) {
  if (!node)
    ssk_text_add(out, "default");
  else if (is_override(node))
    ssk_text_add(out, node->pos.file);
  else
    ssk_text_printf(out, "%s:%d", node->pos.file ? node->pos.file : "?", node->pos.line);
}

/* ---- printing -----------------------------------------------------------------------------------
 */

struct walk {
  const struct ssk_tree *tree;
  struct ssk_arena arena;
  struct ssk_text out;
  json_t *array; /* NULL: text */
};

static json_t *value_json(const struct place *place) {
  const struct ssk_param *row = place->instance ? NULL : place->row;
  if (row && row->type == SSK_T_BOOL)
    return json_boolean(*(const bool *)member(place));
  if (row && row->type == SSK_T_INT)
    return json_integer(*(const int64_t *)member(place));
  if (row && row->type == SSK_T_REAL && isfinite(*(const double *)member(place)))
    return json_real(*(const double *)member(place));
  struct ssk_text text = {0};
  add_value(&text, place);
  json_t *value = json_string(text.data ? text.data : "");
  ssk_text_free(&text);
  return value;
}

static json_t *origin_json(const struct ssk_node *node) {
  if (!node)
    return json_pack("{s:s}", "from", "default");
  if (is_override(node))
    return json_pack("{s:s, s:s}", "from", "override", "override", node->pos.file);
  return json_pack("{s:s, s:s, s:i, s:i}", "from", "file", "file",
                   node->pos.file ? node->pos.file : "", "line", node->pos.line, "column",
                   node->pos.column);
}

static json_t *place_json(const struct walk *walk, const struct place *place) {
  const struct ssk_node *node = origin(walk->tree, place);
  json_t *replaced = json_array();
  for (const struct ssk_node *under = node ? node->under : NULL; under; under = under->under) {
    struct ssk_text text = {0};
    add_node(&text, under);
    json_t *object = origin_json(under);
    json_object_set_new(object, "value", json_string(text.data ? text.data : ""));
    json_array_append_new(replaced, object);
    ssk_text_free(&text);
  }
  return json_pack("{s:s, s:o, s:o, s:o, s:o}", "key", place->path, "value", value_json(place),
                   "origin", origin_json(node), "replaced", replaced, "declared",
                   place->row ? ssk_page_row_json(place->row) : json_null());
}

/* One key in full. */
static void print_full(struct walk *walk, const struct place *place) {
  const struct ssk_node *node = origin(walk->tree, place);
  struct ssk_text *out = &walk->out;
  ssk_text_printf(out, "%s = ", place->path);
  add_value(out, place);
  ssk_text_add(out, "\n  from ");
  add_origin(out, node);
  for (const struct ssk_node *under = node ? node->under : NULL; under; under = under->under) {
    ssk_text_add(out, "\n  replaced ");
    add_node(out, under);
    ssk_text_add(out, " from ");
    add_origin(out, under);
  }
  ssk_text_add(out, "\n");
  if (!place->row)
    return;
  ssk_text_add(out, "  type ");
  ssk_page_type(out, place->row);
  ssk_text_add(out, "\n");
  ssk_page_prose(out, place->row->doc ? place->row->doc : "", 2);
}

/* One key in one line. */
static void print_line(struct walk *walk, const struct place *place) {
  struct ssk_text line = {0};
  ssk_text_printf(&line, "%s = ", place->path);
  add_value(&line, place);
  ssk_text_printf(&walk->out, "%-50s  # ", line.data ? line.data : "");
  add_origin(&walk->out, origin(walk->tree, place));
  ssk_text_add(&walk->out, "\n");
  walk->out.failed |= line.failed;
  ssk_text_free(&line);
}

/* The place and everything beneath it. A section has no value of its own. */
static void visit(struct walk *walk, const struct place *place) {
  if (place->instance ||
      (place->row && place->row->type != SSK_T_SECTION && !is_components(place))) {
    if (walk->array)
      json_array_append_new(walk->array, place_json(walk, place));
    else
      print_line(walk, place);
  }
  if (is_components(place)) {
    const struct ssk_instances *list = member(place);
    for (int i = 0; i < list->n; i++) {
      struct place item = {.path = ssk_arena_printf(&walk->arena, "%s.%d", place->path, i)};
      enter_instance(&item, list->items[i]);
      if (item.path)
        visit(walk, &item);
    }
  }
  const char *dot = *place->path ? "." : "";
  for (const struct ssk_param *row = place->rows; row && row->name; row++) {
    const char *path = ssk_arena_printf(&walk->arena, "%s%s%s", place->path, dot, row->name);
    struct place child = at_row(path, row, place->beneath);
    if (child.path)
      visit(walk, &child);
  }
}

static int explain(struct ssk_cli *cli, const struct ssk_tree *tree, const struct ssk_param *rows,
                   const void *self) {
  struct walk walk = {.tree = tree, .array = cli->json ? json_array() : NULL};
  struct place place = {.path = "", .rows = rows, .beneath = self};
  int code = SSK_OK;
  if (cli->n_words == 2)
    code = descend(&place, cli->words[1], &walk.arena, cli->err);
  if (!code && !cli->json && place.row && !place.rows && !is_components(&place))
    print_full(&walk, &place);
  else if (!code)
    visit(&walk, &place);
  if (!code && walk.out.failed)
    code = ssk_err_set(cli->err, SSK_ENOMEM, "no memory for the text");
  if (!code && cli->json)
    code = ssk_cli_print_json(cli, json_incref(walk.array));
  else if (!code && walk.out.data)
    fputs(walk.out.data, stdout);
  json_decref(walk.array);
  ssk_text_free(&walk.out);
  ssk_arena_free(&walk.arena);
  return code;
}

int ssk_verb_explain(struct ssk_cli *cli, int argc, char **argv) {
  int code = ssk_cli_parse(cli, &syntax, NULL, argc, argv);
  if (code)
    return code;
  if (ssk_is_study(cli->words[0])) {
    struct ssk_study *study;
    code = ssk_study_load(cli->words[0], cli->n_over, cli->over, cli->registry, &study, cli->err);
    if (!code) {
      code = explain(cli, study->tree, ssk_study_rows, study);
      ssk_study_free(study);
    }
    return code;
  }
  if (ssk_is_sweep_recipe(cli->words[0])) {
    ssk_err_set(cli->err, SSK_EUSAGE, "'%s' is a sweep: explain the recipe that it names",
                cli->words[0]);
    ssk_err_hint(cli->err, "'sskit sweep %s --select' prints the best trial's", cli->words[0]);
    return SSK_EUSAGE;
  }
  struct ssk_experiment *experiment;
  code = ssk_cli_load(cli, &experiment);
  if (!code) {
    code = explain(cli, experiment->tree, ssk_experiment_rows, experiment);
    ssk_experiment_free(experiment);
  }
  return code;
}
