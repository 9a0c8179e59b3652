/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_tree.c - recipes read from text: nodes and their places, bases, overrides, what is refused.
 */
#include "core/file.h"
#include "recipe/tree.h"
#include <criterion/criterion.h>
#include <sskit/params.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static ssk_err *err;
static void set_up(void) {
  err = ssk_err_new();
}
static void tear_down(void) {
  ssk_err_free(err);
}
TestSuite(tree, .init = set_up, .fini = tear_down);

static struct ssk_tree *parse(const char *text) {
  return ssk_tree_parse("r.yaml", text, strlen(text), 0, NULL, NULL, err);
}

static const char *value(const struct ssk_tree *tree, const char *path) {
  const struct ssk_node *node = ssk_node_find(tree->root, path);
  return node && node->type == SSK_NODE_SCALAR ? node->text : "(none)";
}

/* The text is refused with this as the only message, at line and column. */
static void expect_refusal(const char *text, size_t size, const char *place_and_message) {
  static char printed[4096];
  ssk_err_clear(err);
  struct ssk_tree *tree = ssk_tree_parse("r.yaml", text, size, 0, NULL, NULL, err);
  cr_expect_null(tree, "%s", text);
  ssk_tree_free(tree);
  FILE *stream = fmemopen(printed, sizeof printed, "w");
  ssk_err_print(err, stream, false);
  fclose(stream);
  printed[strcspn(printed, "\n")] = 0;
  cr_expect_str_eq(printed, place_and_message);
  cr_expect_eq(ssk_err_count(err), 1, "%s: %d messages", text, ssk_err_count(err));
  cr_expect_eq(ssk_err_code(err), SSK_ERECIPE);
}
static void refuse(const char *text, const char *place_and_message) {
  expect_refusal(text, strlen(text), place_and_message);
}

Test(tree, nodes_know_their_places) {
  struct ssk_tree *tree = parse("# head\r\n"
                                "a: 1\r\n"
                                "b:\r\n"
                                "  \xc3\xa4: {c: \"x\\ty\", d: [e, 'f']}\r\n"
                                "g: |\r\n"
                                "  text\r\n");
  cr_assert(tree);
  const struct ssk_node *a = ssk_node_get(tree->root, "a");
  cr_expect_str_eq(a->text, "1");
  cr_expect_not(a->quoted);
  cr_expect_str_eq(a->pos.line_text, "a: 1");
  const struct ssk_node *c = ssk_node_find(tree->root, "b.\xc3\xa4.c");
  cr_expect_str_eq(c->text, "x\ty");
  cr_expect(c->quoted);
  cr_expect_eq(c->pos.line, 4);
  cr_expect_eq(c->pos.column, 11); /* in bytes */
  cr_expect_eq(c->pos.width, 6);
  cr_expect_eq(c->key_pos.column, 8);
  cr_expect_eq(c->key_pos.width, 1);
  cr_expect_str_eq(value(tree, "b.\xc3\xa4.d.1"), "f");
  cr_expect_str_eq(value(tree, "b.\xc3\xa4.d.2"), "(none)");
  cr_expect_str_eq(value(tree, "b..c"), "(none)");
  cr_expect_str_eq(value(tree, "a."), "(none)");
  cr_expect_str_eq(value(tree, "g"), "text\n");
  ssk_tree_free(tree);
}

Test(tree, refuses_what_recipes_do_not_have) {
  refuse("", "r.yaml: error: the file is empty");
  refuse("# only a comment\n", "r.yaml: error: the file is empty");
  refuse("- a\n", "r.yaml:1:1: error: a recipe is a map of keys, not a list");
  refuse("a: &x 1\n", "r.yaml:1:4: error: recipes have no anchors");
  refuse("a: *x\n", "r.yaml:1:4: error: recipes have no aliases");
  refuse("<<: {a: 1}\n", "r.yaml:1:1: error: recipes have no merge keys");
  refuse("a: !!int 1\n", "r.yaml:1:4: error: recipes have no tags");
  refuse("a: 1\nb: 2\na: 3\n", "r.yaml:3:1: error: duplicate key 'a'");
  refuse("a: 1\n---\nb: 2\n", "r.yaml:2:1: error: a second document begins here");
  refuse("a:\nb: 1\n", "r.yaml:1:1: error: 'a' has no value");
  refuse("a: [1, , 2]\n", "r.yaml:1:8: error: YAML syntax: did not find expected node content");
  refuse("? [a]\n: 1\n", "r.yaml:1:3: error: a key must be a name, not a list or a map");
  refuse("a: \"\\0\"\n", "r.yaml:1:4: error: control character in a quoted text");
  refuse("a: 1\nb: c: d\n",
         "r.yaml:2:5: error: YAML syntax: mapping values are not allowed in this context");
  refuse("a: 'x\nb: 1\n", "r.yaml:1:4: error: YAML syntax: this quoted text does not end");
  expect_refusal("a: 1\nb: \0\n", 10, "r.yaml:2:4: error: NUL byte in the text");
  refuse("a: \xff\n", "r.yaml:1:4: error: these bytes are not UTF-8");
  refuse("a: 1\rb: 2\n", "r.yaml:1:5: error: carriage return without a newline");
}

Test(tree, limits_depth_and_size) {
  static char deep[200] = "a: ";
  for (int i = 0; i < 31; i++)
    strcat(deep, "[");
  strcat(deep, "1");
  for (int i = 0; i < 31; i++)
    strcat(deep, "]");
  struct ssk_tree *tree = parse(deep);
  cr_assert(tree);
  ssk_tree_free(tree);
  memmove(deep + 4, deep + 3, strlen(deep) - 2);
  strcat(deep, "]");
  refuse(deep, "r.yaml:1:35: error: nested deeper than 32 levels");
  size_t size = (1u << 20) + 1;
  char *large = malloc(size);
  memset(large, '#', size);
  expect_refusal(large, size, "r.yaml: error: the text is larger than 1 MiB");
  free(large);
}

Test(tree, reports_many_errors_in_one_pass) {
  cr_assert_null(parse("a: &x 1\nb: *x\nc: !t 2\na: 4\nd:\n"));
  cr_assert_eq(ssk_err_count(err), 5);
}

/* ---- bases ---------------------------------------------------------------------------------- */

static char folder[] = "/tmp/sskit-test-tree-XXXXXX";

static void enter_folder(void) {
  set_up();
  cr_assert(mkdtemp(folder));
  cr_assert_eq(chdir(folder), 0);
}
static void leave_folder(void) {
  char command[128];
  cr_assert_eq(chdir("/"), 0);
  snprintf(command, sizeof command, "rm -r %s", folder);
  cr_assert_eq(system(command), 0);
  tear_down();
}
TestSuite(bases, .init = enter_folder, .fini = leave_folder);

static void write_file(const char *name, const char *text) {
  cr_assert_eq(ssk_file_write(name, text, strlen(text), err), SSK_OK);
}

Test(bases, merge_by_the_rules) {
  write_file("low.yaml", "x: 1\n"
                         "list: [a]\n"
                         "kept: {use: mlp, width: 3, act: silu}\n"
                         "swapped: {use: mlp, width: 3}\n"
                         "named: mlp\n"
                         "again: {use: mlp, width: 3}\n"
                         "one: a\n"
                         "metric: {use: coverage, level: 0.5}\n");
  write_file("mid.yaml", "base: low.yaml\nlist+: [b]\ny: 2\n");
  write_file("top.yaml", "base: [mid.yaml]\n"
                         "list+: [c, d]\n"
                         "kept: {width: 4}\n"
                         "swapped: {use: gru, layers: 2}\n"
                         "named: {width: 5}\n"
                         "again: mlp\n"
                         "one+: [b]\n"
                         "metric+: [crps]\n"
                         "y: 3\n");
  struct ssk_tree *tree = ssk_tree_load("top.yaml", 0, NULL, NULL, err);
  cr_assert(tree, "%s", ssk_err_message(err, 0));
  cr_expect_null(ssk_node_get(tree->root, "base"));
  cr_expect_str_eq(value(tree, "x"), "1");
  cr_expect_str_eq(value(tree, "list.0"), "a");
  cr_expect_str_eq(value(tree, "list.1"), "b");
  cr_expect_str_eq(value(tree, "list.3"), "d");
  cr_expect_str_eq(value(tree, "list.4"), "(none)");
  cr_expect_str_eq(value(tree, "kept.use"), "mlp");
  cr_expect_str_eq(value(tree, "kept.width"), "4");
  cr_expect_str_eq(value(tree, "kept.act"), "silu");
  cr_expect_str_eq(value(tree, "swapped.layers"), "2");
  cr_expect_str_eq(value(tree, "swapped.width"), "(none)");
  cr_expect_str_eq(value(tree, "named.use"), "mlp");
  cr_expect_str_eq(value(tree, "named.width"), "5");
  cr_expect_str_eq(value(tree, "again.width"), "3");
  cr_expect_str_eq(value(tree, "one.1"), "b");
  cr_expect_str_eq(value(tree, "metric.0.level"), "0.5");
  cr_expect_str_eq(value(tree, "metric.1"), "crps");
  cr_expect_str_eq(value(tree, "again.0.width"), "3"); /* one is a list of one */
  cr_expect_str_eq(value(tree, "again.1"), "(none)");
  const struct ssk_node *y = ssk_node_get(tree->root, "y");
  cr_expect_str_eq(y->pos.file, "top.yaml");
  cr_expect_str_eq(y->under->pos.file, "mid.yaml");
  cr_expect_str_eq(y->under->text, "2");
  cr_expect_str_eq(ssk_node_find(tree->root, "kept.act")->pos.file, "low.yaml");
  cr_expect_eq(tree->n_files, 3);
  cr_expect_str_eq(tree->files[2], "low.yaml");
  ssk_tree_free(tree);
}

static void expect_message(const char *path, const char *message) {
  ssk_err_clear(err);
  cr_expect_null(ssk_tree_load(path, 0, NULL, "lib::other", err));
  cr_expect_str_eq(ssk_err_message(err, 0), message);
}

Test(bases, are_searched_and_may_not_circle) {
  cr_assert_eq(ssk_folder_make("lib", err), SSK_OK);
  write_file("lib/common.yaml", "a: 1\nbase: deep.yaml\n");
  write_file("lib/deep.yaml", "b: 2\n");
  write_file("r.yaml", "base: common.yaml\n");
  struct ssk_tree *tree = ssk_tree_load("r.yaml", 0, NULL, "other:lib", err);
  cr_assert(tree, "%s", ssk_err_message(err, 0));
  cr_expect_str_eq(tree->files[1], "lib/common.yaml");
  cr_expect_str_eq(value(tree, "b"), "2"); /* beside the file that names it */
  cr_expect_str_eq(ssk_node_get(tree->root, "b")->folder, "lib");
  ssk_tree_free(tree);
  write_file("none.yaml", "base: nothing.yaml\n");
  expect_message("none.yaml", "base 'nothing.yaml' not found");
  write_file("p.yaml", "base: q.yaml\n");
  write_file("q.yaml", "base: ./s.yaml\n");
  write_file("s.yaml", "base: q.yaml\n");
  expect_message("p.yaml", "bases go in a circle: q.yaml -> ./s.yaml -> q.yaml");
  write_file("list.yaml", "base: [{a: 1}]\n");
  expect_message("list.yaml", "'base' must be a file name or a list of them");
  write_file("plus.yaml", "a: {b+: [1]}\n");
  expect_message("plus.yaml", "no base gives a list for 'b+' to append to");
  write_file("both.yaml", "base: lib/deep.yaml\nb: [1]\nb+: [2]\n");
  expect_message("both.yaml", "both 'b' and 'b+' are given");
}

Test(bases, a_web_of_them_ends) {
  write_file("n0.yaml", "a: 1\n");
  char name[32], text[96];
  for (int i = 1; i < 12; i++) { /* 2^12 readings without a limit */
    snprintf(name, sizeof name, "n%d.yaml", i);
    snprintf(text, sizeof text, "base: [n%d.yaml, n%d.yaml]\n", i - 1, i - 1);
    write_file(name, text);
  }
  expect_message("n11.yaml", "more than 64 files in one recipe");
}

/* ---- overrides ------------------------------------------------------------------------------ */

static struct ssk_tree * override(int n, const char *const *texts) {
  static const char text[] = "model:\n  transition: {use: diffusion, levels: 3}\nlist: [a]\n";
  struct ssk_override overrides[8] = {{.text = NULL}};
  for (int i = 0; i < n; i++)
    overrides[i].text = texts[i];
  return ssk_tree_parse("r.yaml", text, sizeof text - 1, n, overrides, NULL, err);
}

Test(tree, overrides_change_values_and_keep_places) {
  static const char *const overrides[] = {"model.transition.levels=64", "list+=[b]", "new={x: 1}",
                                          "new.x=a=b.c", "s=\"\""};
  struct ssk_tree *tree = override(5, overrides);
  cr_assert(tree, "%s", ssk_err_message(err, 0));
  cr_expect_str_eq(value(tree, "model.transition.use"), "diffusion");
  const struct ssk_node *levels = ssk_node_find(tree->root, "model.transition.levels");
  cr_expect_str_eq(levels->text, "64");
  cr_expect_str_eq(levels->pos.file, "override 'model.transition.levels=64'");
  cr_expect_str_eq(levels->pos.line_text, "model.transition.levels=64");
  cr_expect_eq(levels->pos.column, 25);
  cr_expect_eq(levels->key_pos.column, 18);
  cr_expect_null(levels->folder);
  cr_expect_str_eq(levels->under->text, "3");
  cr_expect_str_eq(ssk_node_find(tree->root, "model")->pos.file, "r.yaml");
  cr_expect_str_eq(value(tree, "list.1"), "b");
  cr_expect_str_eq(value(tree, "new.x"), "a=b.c");
  cr_expect_str_eq(value(tree, "s"), "");
  ssk_tree_free(tree);
}

/* Where "a.b=[1, x]" stands in a list: as it is, in quotes, and so that columns cannot be told. */
Test(tree, overrides_of_a_file_have_their_places_there) {
  static const char text[] = "set:\n  - a.b=[1, x]\n  - \"a.b=[1, x]\"\n  - \"a\\x2eb=[1, x]\"\n";
  static const char *items[] = {"a.b=[1, x]", "a.b=[1, x]", "a.b=[1, x]", "c.d=2"};
  const struct ssk_strings set = {.n = 4, .items = items};
  static const int key_columns[] = {7, 8, 5}, item_columns[] = {13, 14, 5};
  struct ssk_override overrides[4];
  struct ssk_tree *file = ssk_tree_parse("s.yaml", text, sizeof text - 1, 0, NULL, NULL, err);
  cr_assert(file);
  ssk_overrides_of_set(file->root, &set, overrides);
  for (int i = 0; i < 3; i++) {
    struct ssk_tree *tree =
        ssk_tree_parse("r.yaml", "a: {b: [2]}", 11, 1, overrides + i, NULL, err);
    cr_assert(tree, "%s", ssk_err_message(err, 0));
    const struct ssk_node *list = ssk_node_find(tree->root, "a.b"), *item = list->first->next;
    cr_expect_str_eq(item->text, "x");
    cr_expect_str_eq(item->pos.file, "s.yaml");
    cr_expect_eq(item->pos.line, i + 2);
    cr_expect_eq(list->key_pos.column, key_columns[i], "%d", list->key_pos.column);
    cr_expect_eq(item->pos.column, item_columns[i], "%d", item->pos.column);
    ssk_tree_free(tree);
  }
  cr_expect_null(overrides[3].key.file, "it stands behind those of the file");
  overrides[0] = ssk_override_at("novalue", ssk_node_find(file->root, "set.0"));
  cr_expect_null(ssk_tree_parse("r.yaml", "a: 1", 4, 1, overrides, NULL, err));
  cr_expect_eq(ssk_err_code(err), SSK_ERECIPE, "that of a file is no matter of usage");
  ssk_tree_free(file);
}

Test(tree, an_override_of_use_replaces_the_component) {
  static const char *const overrides[] = {"model.transition.use=linear"};
  struct ssk_tree *tree = override(1, overrides);
  cr_assert(tree);
  cr_expect_str_eq(value(tree, "model.transition.use"), "linear");
  cr_expect_str_eq(value(tree, "model.transition.levels"), "(none)");
  ssk_tree_free(tree);
}

Test(tree, malformed_overrides_are_refused) {
  static const char *const bad[] = {"novalue", "=1", "a..b=1", ".a=1", "base=x", "a=\n1"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    ssk_err_clear(err);
    cr_expect_null(override(1, bad + i));
    cr_expect_eq(ssk_err_code(err), SSK_EUSAGE, "%s", bad[i]);
  }
  static const char *const wrong[] = {"a=[1", "a=", "a=&x 1", "a=\xff", "model+=[1]"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    ssk_err_clear(err);
    cr_expect_null(override(1, wrong + i));
    cr_expect_eq(ssk_err_code(err), SSK_ERECIPE, "%s", wrong[i]);
    cr_expect_eq(ssk_err_count(err), 1, "%s", wrong[i]);
  }
}
