/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schema.c - sskit schema: the JSON Schema of recipes, from the tables that recipes are read by,
 * for editors. Nothing is required in it: what a file leaves out its bases may have. */
#include "cli/cli.h"
#include "core/text.h"
#include "model/expect.h"
#include "model/study.h"
#include "registry/registry.h"
#include "sweep/recipe.h"
#include <math.h>
#include <string.h>

static const struct ssk_syntax syntax = {
    .doc = "Print a JSON Schema (draft 7) of recipes, studies and sweeps with all components that "
           "plugins provide, plugins of your own too, for editors: docs/tutorial.md shows how the "
           "YAML language server uses it. What 'sskit check' says beyond it, such as values "
           "that do not go together, is not in a schema.",
    .max_words = 0,
};

static json_t *rows_schema(const struct ssk_param *rows);

static json_t *named(const char *type) {
  return json_pack("{s:s}", "type", type);
}

/* A number within the limits of the row; limits that are infinite are none. */
static json_t *number(const struct ssk_param *row, const char *type) {
  json_t *schema = named(type);
  if (isfinite(row->min))
    json_object_set_new(schema, "minimum", json_real(row->min));
  if (isfinite(row->max))
    json_object_set_new(schema, "maximum", json_real(row->max));
  if (isfinite(row->max) || row->type == SSK_T_INT)
    return schema;
  return json_pack("{s:[o,{s:[s,s]}]}", "anyOf", schema, "enum", "inf", ".inf");
}

static json_t *choices(const char *const *words) {
  json_t *list = json_array();
  for (; *words; words++)
    json_array_append_new(list, json_string(*words));
  return json_pack("{s:o}", "enum", list);
}

/* Words that look like numbers need no quotes in recipes. */
static json_t *text(void) {
  return json_pack("{s:[s,s,s]}", "type", "string", "number", "boolean");
}

/* One, or a list of them. */
static json_t *one_or_list(json_t *item) {
  return json_pack("{s:[O,{s:s,s:o}]}", "anyOf", item, "type", "array", "items", item);
}

static json_t *component(const struct ssk_param *row) {
  json_t *schema = json_object();
  json_object_set_new(schema, "$ref", json_sprintf("#/definitions/%s", ssk_kind_name(row->kind)));
  if (row->default_text && !strcmp(row->default_text, "none"))
    return json_pack("{s:[o,{s:s}]}", "anyOf", schema, "const", "none");
  return schema;
}

static json_t *value_schema(const struct ssk_param *row) {
  switch (row->type) {
  case SSK_T_BOOL:
    return named("boolean");
  case SSK_T_INT:
    return number(row, "integer");
  case SSK_T_REAL:
    return number(row, "number");
  case SSK_T_ENUM:
    return choices(row->choices);
  case SSK_T_REALS:
    return one_or_list(number(row, "number"));
  case SSK_T_STRINGS:
    return one_or_list(row->choices ? choices(row->choices) : text());
  case SSK_T_COMPONENT:
    return component(row);
  case SSK_T_COMPONENTS:
    return one_or_list(component(row));
  case SSK_T_SECTION:
    return rows_schema(row->rows);
  default:
    return text();
  }
}

/* The text of a row with its unit and default, as an editor shows it. In an object of its own
 * beside the schema: what stands beside a "$ref" is not read. */
static json_t *row_schema(const struct ssk_param *row) {
  struct ssk_text about = {0};
  ssk_text_add(&about, row->doc ? row->doc : "");
  if (row->unit)
    ssk_text_printf(&about, " Unit: %s.", row->unit);
  if (row->default_text)
    ssk_text_printf(&about, " Default: %s.", *row->default_text ? row->default_text : "\"\"");
  json_t *schema = json_pack("{s:s,s:[o]}", "description", about.data ? about.data : "", "allOf",
                             value_schema(row));
  ssk_text_free(&about);
  return schema;
}

static void add_rows(json_t *properties, const struct ssk_param *rows) {
  for (; rows && rows->name; rows++)
    json_object_set_new(properties, rows->name, row_schema(rows));
}

/* A map of these keys; `key+` appends to the list of a base. */
static json_t *map_of(json_t *properties) {
  return json_pack("{s:s, s:o, s:{s:{s:s}}, s:b}", "type", "object", "properties", properties,
                   "patternProperties", "^[A-Za-z0-9_]+\\+$", "type", "array",
                   "additionalProperties", 0);
}

static json_t *rows_schema(const struct ssk_param *rows) {
  json_t *properties = json_object();
  add_rows(properties, rows);
  return map_of(properties);
}

/* ---- components ------------------------------------------------------------------------------ */

static void add_component(json_t *definitions, const struct ssk_component *c) {
  char name[160];
  json_t *properties = json_object();
  json_object_set_new(properties, "use", json_pack("{s:s}", "const", c->name));
  add_rows(properties, c->params);
  json_t *schema = map_of(properties);
  json_object_set_new(schema, "description", json_string(c->summary));
  snprintf(name, sizeof name, "%s.%s", ssk_kind_name(c->kind), c->name);
  json_object_set_new(definitions, name, schema);
}

/* A kind: the name of a component, or a map whose other keys are those of the component that `use`
 * names. Without `use`, a base names it. */
static void add_kind(json_t *definitions, const struct ssk_registry *registry, int kind) {
  const struct ssk_component *c;
  json_t *names = json_array(), *cases = json_array();
  for (int i = 0; (c = ssk_registry_at(registry, i, NULL)); i++) {
    if ((int)c->kind != kind)
      continue;
    add_component(definitions, c);
    json_array_append_new(names, json_string(c->name));
    json_array_append_new(
        cases, json_pack("{s:{s:{s:{s:s}}, s:[s]}, s:{s:o}}", "if", "properties", "use", "const",
                         c->name, "required", "use", "then", "$ref",
                         json_sprintf("#/definitions/%s.%s", ssk_kind_name(kind), c->name)));
  }
  json_object_set_new(definitions, ssk_kind_name(kind),
                      json_pack("{s:[{s:O}, {s:s, s:{s:{s:o}}, s:o}]}", "anyOf", "enum", names,
                                "type", "object", "properties", "use", "enum", names, "allOf",
                                cases));
}

/* ---- all of it ------------------------------------------------------------------------------- */

/* What stands beside the rows of a recipe: see ssk_recipe_skipped. */
static void add_beside(json_t *properties) {
  json_t *expect = json_pack("{s:s, s:o}", "type", "array", "items", rows_schema(ssk_expect_rows));
  json_t *quick = json_object();
  add_rows(quick, ssk_quick_rows);
  json_object_set(quick, "expect", expect);
  json_object_set_new(properties, "quick", map_of(quick));
  json_object_set_new(properties, "expect", expect);
  json_object_set_new(properties, "base", one_or_list(text()));
}

int ssk_verb_schema(struct ssk_cli *cli, int argc, char **argv) {
  int code = ssk_cli_parse(cli, &syntax, NULL, argc, argv);
  if (!code)
    code = ssk_registry_open_all(cli->registry, cli->err);
  if (code)
    return code;
  json_t *definitions = json_object(), *properties = json_object();
  for (int kind = 0; kind < SSK_KIND_COUNT; kind++)
    add_kind(definitions, cli->registry, kind);
  add_rows(properties, ssk_study_rows);
  add_rows(properties, ssk_sweep_rows);
  add_rows(properties, ssk_experiment_rows);
  add_beside(properties);
  /* The axes of a sweep are keys of its recipe. */
  json_t *sweep = json_array_get(json_object_get(json_object_get(properties, "sweep"), "allOf"), 0);
  json_object_set_new(json_object_get(sweep, "properties"), "axes", named("object"));
  json_t *schema = map_of(properties);
  json_object_set_new(schema, "$schema", json_string("http://json-schema.org/draft-07/schema#"));
  json_object_set_new(schema, "title", json_string("a recipe of sskit"));
  json_object_set_new(schema, "definitions", definitions);
  return ssk_cli_print_json(cli, schema);
}
