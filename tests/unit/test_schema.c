/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_schema.c - typing by tables: values, defaults, messages with places, components, and that
 * what is dumped reads back the same. A small table and a maker of three components stand for the
 * kernel. */
#include "recipe/schema.h"
#include <criterion/criterion.h>
#include <sskit/plugin.h>
#include <stdlib.h>
#include <string.h>

/* ---- three components ----------------------------------------------------------------------- */

static int alive; /* components whose init succeeded and whose done was not called */

struct net {
  int64_t width;
  struct ssk_instance *inner;
  double sum; /* not a parameter */
};
static const char *check_width(const void *self) {
  return ((const struct net *)self)->width % 2 ? "must be even" : NULL;
}
static const struct ssk_param net_rows[] = {
    {.name = "width",
     .type = SSK_T_INT,
     .offset = offsetof(struct net, width),
     .default_text = "8",
     .min = 1,
     .max = 64,
     .unit = "units",
     .check = check_width,
     .doc = "Width."},
    SSK_PARAM_COMPONENT(struct net, inner, SSK_MIXER, "none", "Another net."),
    SSK_PARAM_END};
static int net_init(void *self, ssk_err *err) {
  if (((struct net *)self)->width == 62)
    return ssk_err_set(err, SSK_EPLUGIN, "62 is too much for me");
  alive++;
  return SSK_OK;
}
static void net_done(void *self) {
  (void)self;
  alive--;
}
static const struct ssk_component net = {.size = sizeof net,
                                         .kind = SSK_MIXER,
                                         .name = "net",
                                         .self_size = sizeof(struct net),
                                         .params = net_rows,
                                         .init = net_init,
                                         .done = net_done};
static const struct ssk_component bare = {.size = sizeof bare, .kind = SSK_MIXER, .name = "bare"};

static const struct ssk_param endless_rows[] = {
    {.name = "again", .type = SSK_T_COMPONENT, .kind = SSK_MIXER, .default_text = "endless"},
    SSK_PARAM_END};
static const struct ssk_component endless = {.size = sizeof endless,
                                             .kind = SSK_MIXER,
                                             .name = "endless",
                                             .self_size = sizeof(void *),
                                             .params = endless_rows};

static const struct ssk_component *find(void *state, enum ssk_kind kind, const char *name,
                                        const struct ssk_pos *pos, ssk_err *err) {
  static const struct ssk_component *const all[] = {&net, &bare, &endless};
  (void)state;
  for (int i = 0; i < 3; i++)
    if (all[i]->kind == kind && strcmp(all[i]->name, name) == 0)
      return all[i];
  ssk_err_at(err, SSK_EPLUGIN, pos, "no %s '%s'", ssk_kind_name(kind), name);
  return NULL;
}

/* ---- a table of every type ------------------------------------------------------------------ */

struct part {
  double rate;
  int64_t steps;
};
static const struct ssk_param part_rows[] = {
    SSK_PARAM_REAL(struct part, rate, "1e-3", 0, 1, NULL, "Rate."),
    SSK_PARAM_INT(struct part, steps, "1e3", 1, INFINITY, "steps", "Steps."), SSK_PARAM_END};

struct extra {
  const char *file;
  int64_t n;
};
static const struct ssk_param extra_rows[] = {
    SSK_PARAM_PATH(struct extra, file, NULL, "A file."),
    SSK_PARAM_INT(struct extra, n, "5", 1, 9, NULL, "Number."), SSK_PARAM_END};

struct all {
  bool flag;
  int64_t seed;
  double gain, limit;
  const char *name, *path;
  int frame;
  struct ssk_reals widths;
  struct ssk_strings tags;
  struct ssk_instance *mixer;
  struct ssk_instances stack;
  struct part part;
  struct extra extra;
};
static const char *const frames[] = {"free", "additive", NULL};
static const struct ssk_param rows[] = {
    SSK_PARAM_BOOL(struct all, flag, "true", "Flag."),
    SSK_PARAM_INT(struct all, seed, NULL, 0, 9e15, NULL, "Seed."),
    SSK_PARAM_REAL(struct all, gain, "0.5", -1, 1, "nats", "Gain."),
    SSK_PARAM_REAL(struct all, limit, "inf", 0, INFINITY, NULL, "Limit."),
    SSK_PARAM_STRING(struct all, name, NULL, "Name."),
    SSK_PARAM_PATH(struct all, path, "", "Path."),
    SSK_PARAM_ENUM(struct all, frame, "free", frames, "Frame."),
    SSK_PARAM_REALS(struct all, widths, "[1, 2.5]", 0, 10, NULL, "Widths."),
    SSK_PARAM_STRINGS(struct all, tags, NULL, "Tags."),
    SSK_PARAM_COMPONENT(struct all, mixer, SSK_MIXER, "{use: net, inner: net}", "Mixer."),
    SSK_PARAM_COMPONENTS(struct all, stack, SSK_MIXER, NULL, "Stack."),
    SSK_PARAM_SECTION(struct all, part, part_rows, "Part."),
    {.name = "extra",
     .type = SSK_T_SECTION,
     .offset = offsetof(struct all, extra),
     .rows = extra_rows,
     .optional = true},
    SSK_PARAM_END};
static const char *const also[] = {"notes", NULL};

static struct ssk_tree *tree;
static struct ssk_arena arena;
static struct all all;
static ssk_err *err;
static char printed[8192];

static void set_up(void) {
  err = ssk_err_new();
}
static void clean(void) {
  ssk_schema_free(rows, &all);
  ssk_arena_free(&arena);
  ssk_tree_free(tree);
  tree = NULL;
  memset(&all, 0, sizeof all);
  ssk_err_clear(err);
}
static void tear_down(void) {
  clean();
  cr_expect_eq(alive, 0, "%d components were not freed", alive);
  ssk_err_free(err);
}
TestSuite(schema, .init = set_up, .fini = tear_down);

static int fill(const char *text) {
  struct ssk_maker maker = {.find = find};
  clean();
  tree = ssk_tree_parse("dir/r.yaml", text, strlen(text), 0, NULL, NULL, err);
  cr_assert(tree, "%s", ssk_err_message(err, 0));
  return ssk_schema_fill(rows, &all, tree->root, "", also, &maker, &arena, err);
}

static const struct net *self_of(const struct ssk_instance *i) {
  return i->self;
}

Test(schema, absent_keys_get_their_defaults) {
  cr_assert_eq(fill("{seed: 7, name: x}"), SSK_OK, "%s", ssk_err_message(err, 0));
  cr_expect(all.flag);
  cr_expect_eq(all.gain, 0.5);
  cr_expect_eq(all.limit, INFINITY);
  cr_expect_str_eq(all.path, "");
  cr_expect_eq(all.frame, 0);
  cr_expect_eq(all.widths.n, 2);
  cr_expect_eq(all.widths.items[1], 2.5);
  cr_expect_eq(all.tags.n, 0);
  cr_expect_eq(all.stack.n, 0);
  cr_expect_eq(all.part.steps, 1000);
  cr_expect_str_eq(all.extra.file, "");
  cr_expect_str_eq(all.mixer->path, "mixer");
  cr_expect_str_eq(self_of(all.mixer)->inner->path, "mixer.inner");
  cr_expect_null(self_of(self_of(all.mixer)->inner)->inner);
  cr_expect_eq(alive, 2);
}

Test(schema, values_are_typed) {
  cr_assert_eq(fill("flag: false\n"
                    "seed: 2e3\n"
                    "gain: -.25\n"
                    "limit: .inf\n"
                    "name: '12'\n"
                    "path: ./sub//f.csv\n"
                    "frame: additive\n"
                    "widths: 3\n"
                    "tags: [a, \"true\"]\n"
                    "mixer: bare\n"
                    "stack: [bare, {use: net, width: 2}]\n"
                    "part: {rate: 1}\n"
                    "extra: {file: $SCHEMA_TEST/f}\n"
                    "notes: {any: thing}\n"),
               SSK_ERECIPE);
  cr_assert_str_eq(ssk_err_message(err, 0), "environment variable SCHEMA_TEST is not set");
  setenv("SCHEMA_TEST", "/data", 1);
  cr_assert_eq(fill("flag: false\n"
                    "seed: 2e3\n"
                    "gain: -.25\n"
                    "limit: .inf\n"
                    "name: '12'\n"
                    "path: ./sub//f.csv\n"
                    "frame: additive\n"
                    "widths: 3\n"
                    "tags: [a, \"true\"]\n"
                    "mixer: bare\n"
                    "stack: [bare, {use: net, width: 2}]\n"
                    "part: {rate: 1}\n"
                    "extra: {file: \"${SCHEMA_TEST}/f\"}\n"
                    "notes: {any: thing}\n"),
               SSK_OK, "%s", ssk_err_message(err, 0));
  cr_expect_not(all.flag);
  cr_expect_eq(all.seed, 2000);
  cr_expect_eq(all.gain, -0.25);
  cr_expect_eq(all.limit, INFINITY);
  cr_expect_str_eq(all.name, "12");
  cr_expect_eq(all.path[0], '/');
  cr_expect_str_eq(all.path + strlen(all.path) - strlen("/dir/sub/f.csv"), "/dir/sub/f.csv");
  cr_expect_eq(all.frame, 1);
  cr_expect_eq(all.widths.n, 1);
  cr_expect_eq(all.widths.items[0], 3);
  cr_expect_str_eq(all.tags.items[1], "true");
  cr_expect_eq(all.mixer->component, &bare);
  cr_expect_str_eq(all.stack.items[1]->path, "stack.1");
  cr_expect_eq(self_of(all.stack.items[1])->width, 2);
  cr_expect_str_eq(all.extra.file, "/data/f");
}

/* One wrong key gives exactly this output. */
static void expect_error(const char *line, int code, const char *output) {
  char text[256];
  snprintf(text, sizeof text, "name: x\nseed: 1\n%s\n", line);
  cr_expect_eq(fill(text), code, "%s", line);
  FILE *stream = fmemopen(printed, sizeof printed, "w");
  ssk_err_print(err, stream, false);
  fclose(stream);
  cr_expect_str_eq(printed, output);
  cr_expect_eq(alive, 0);
}

Test(schema, messages_point_and_hint) {
  expect_error("flag: yes", SSK_ERECIPE,
               "dir/r.yaml:3:7: error: 'flag' must be true or false, not 'yes'\n"
               "    3 | flag: yes\n"
               "      |       ^~~\n"
               "      = hint: write true\n");
  expect_error("gain: '0.5'", SSK_ERECIPE,
               "dir/r.yaml:3:7: error: 'gain' must be a number from -1 to 1 (nats), not the text "
               "'0.5'\n"
               "    3 | gain: '0.5'\n"
               "      |       ^~~~~\n"
               "      = hint: write it without quotes\n");
  expect_error("frame: aditive", SSK_ERECIPE,
               "dir/r.yaml:3:8: error: 'frame' must be one of free, additive, not 'aditive'\n"
               "    3 | frame: aditive\n"
               "      |        ^~~~~~~\n"
               "      = hint: did you mean 'additive'?\n");
  expect_error("widths: [1, 11]", SSK_ERECIPE,
               "dir/r.yaml:3:13: error: 'widths' must be a list of numbers from 0 to 10, not '11'\n"
               "    3 | widths: [1, 11]\n"
               "      |             ^~\n");
  expect_error("part: {rat: 1}", SSK_ERECIPE,
               "dir/r.yaml:3:8: error: unknown key 'rat'\n"
               "    3 | part: {rat: 1}\n"
               "      |        ^~~\n"
               "      = hint: did you mean 'rate'? valid keys: rate, steps\n");
  expect_error(
      "steps: 1", SSK_ERECIPE,
      "dir/r.yaml:3:1: error: unknown key 'steps'\n"
      "    3 | steps: 1\n"
      "      | ^~~~~\n"
      "      = hint: did you mean 'part.steps'? valid keys: flag, seed, gain, limit, name, "
      "path, frame, widths, tags, mixer, stack, part, extra\n");
  expect_error("mixer: {width: 2}", SSK_ERECIPE,
               "dir/r.yaml:3:1: error: 'mixer' lacks the key 'use'\n"
               "    3 | mixer: {width: 2}\n"
               "      | ^~~~~\n"
               "      = hint: write {use: name, ...}, with the name of a component of the kind "
               "mixer\n");
  expect_error("mixer: nett", SSK_EPLUGIN,
               "dir/r.yaml:3:8: error: no mixer 'nett'\n"
               "    3 | mixer: nett\n"
               "      |        ^~~~\n");
  expect_error("mixer: {use: net, width: 3}", SSK_ERECIPE,
               "dir/r.yaml:3:26: error: 'width': must be even\n"
               "    3 | mixer: {use: net, width: 3}\n"
               "      |                          ^\n");
  expect_error("stack: [net, {use: net, width: 62}]", SSK_EPLUGIN,
               "dir/r.yaml:3:20: error: mixer 'net': 62 is too much for me\n"
               "    3 | stack: [net, {use: net, width: 62}]\n"
               "      |                    ^~~\n");
  expect_error("extra: {n: 3}", SSK_ERECIPE,
               "dir/r.yaml:3:1: error: missing required key 'extra.file'\n"
               "    3 | extra: {n: 3}\n"
               "      | ^~~~~\n"
               "      = hint: it must be a path\n");
  expect_error("mixer: {use: bare, x: 1}", SSK_ERECIPE,
               "dir/r.yaml:3:20: error: unknown key 'x'\n"
               "    3 | mixer: {use: bare, x: 1}\n"
               "      |                    ^\n"
               "      = hint: it has no keys but `use`\n");
}

Test(schema, numbers_are_strict) {
  static const char *const bad[] = {
      "seed: 1.5",   "seed: 0x10", "seed: 1_000", "seed: 007", "seed: -1",
      "seed: 1e16",  "seed: inf",  "seed: []",    "gain: nan", "gain: 2",
      "gain: 0x1p0", "gain: inf",  "limit: -inf", "seed: ~",   "seed: 99999999999999999999"};
  char text[64];
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    snprintf(text, sizeof text, "name: x\n%s%s\n", bad[i], *bad[i] == 's' ? "" : "\nseed: 1");
    cr_expect_eq(fill(text), SSK_ERECIPE, "%s", bad[i]);
    cr_expect_eq(ssk_err_count(err), 1, "%s", bad[i]);
  }
  cr_expect_eq(fill("{name: x, seed: 9000000000000000}"), SSK_OK);
  cr_expect_eq(all.seed, INT64_C(9000000000000000));
}

Test(schema, all_errors_come_in_one_pass) {
  cr_expect_eq(fill("nam: x\nflag: 1\nmixer: {use: net, width: 65}\nstack: [nett, net]\n"),
               SSK_ERECIPE);
  cr_expect_eq(ssk_err_count(err), 6); /* those four, and two required keys */
  cr_expect_str_eq(ssk_err_message(err, 0), "unknown key 'nam'");
  cr_expect_eq(alive, 0);
  cr_expect_null(all.mixer);
  cr_expect_eq(all.stack.n, 0);
}

Test(schema, endless_components_end) {
  cr_expect_eq(fill("{name: x, seed: 1, mixer: endless}"), SSK_ERECIPE);
  cr_expect(strstr(ssk_err_message(err, 0), "components are nested deeper than 32 levels"));
}

Test(schema, what_is_dumped_reads_back) {
  static const char text[] = "name: \"a: \\\"b\\\" # \\\\ \\n \xc3\xa4\"\n"
                             "seed: 3\n"
                             "gain: 0.1\n"
                             "path: 'a b'\n"
                             "widths: [0.3, 1e-7]\n"
                             "tags: ['no', x-1, '']\n"
                             "mixer: {use: net, inner: {use: net, width: 4}}\n"
                             "stack: [bare, {use: net, width: 2}]\n";
  struct ssk_text first = {0}, second = {0};
  cr_assert_eq(fill(text), SSK_OK, "%s", ssk_err_message(err, 0));
  ssk_schema_dump(rows, &all, 0, &first);
  cr_assert_not(first.failed);
  cr_assert_eq(fill(first.data), SSK_OK, "%s\n%s", ssk_err_message(err, 0), first.data);
  cr_expect_str_eq(all.name, "a: \"b\" # \\ \n \xc3\xa4");
  cr_expect_eq(all.gain, 0.1);
  cr_expect_str_eq(all.path + strlen(all.path) - strlen("/dir/a b"), "/dir/a b");
  cr_expect_eq(all.widths.items[1], 1e-7);
  cr_expect_str_eq(all.tags.items[0], "no");
  cr_expect_str_eq(all.tags.items[2], "");
  cr_expect_eq(self_of(self_of(all.mixer)->inner)->width, 4);
  cr_expect_eq(self_of(all.stack.items[1])->width, 2);
  ssk_schema_dump(rows, &all, 0, &second);
  cr_expect_str_eq(second.data, first.data);
  cr_expect(strstr(first.data, "\nmixer:\n"
                               "  use: net\n"
                               "  width: 8\n"
                               "  inner:\n"
                               "    use: net\n"
                               "    width: 4\n"
                               "    inner: none\n"
                               "stack:\n"
                               "  - use: bare\n"
                               "  - use: net\n"
                               "    width: 2\n"
                               "    inner: none\n"
                               "part:\n"
                               "  rate: 0.001\n"
                               "  steps: 1000\n"),
            "%s", first.data);
  cr_expect_null(strstr(first.data, "extra"));
  ssk_text_free(&first);
  ssk_text_free(&second);
}

Test(schema, rows_and_values_are_described) {
  struct ssk_text text = {0};
  char buffer[48];
  cr_assert_eq(fill("{name: a b, seed: 3}"), SSK_OK);
  ssk_schema_value(&rows[9], &all, &text);
  cr_expect_str_eq(text.data, "{use: net, width: 8, inner: {use: net, width: 8, inner: none}}");
  ssk_text_free(&text);
  ssk_schema_value(&rows[4], &all, &text);
  cr_expect_str_eq(text.data, "\"a b\"");
  ssk_text_free(&text);
  ssk_schema_describe(&net_rows[0], &text);
  cr_expect_str_eq(text.data, "width             int       [1, 64] units   8           Width.");
  ssk_text_free(&text);
  cr_expect_str_eq(ssk_type_name(&rows[10], buffer), "list of mixer components");
  for (int kind = 0; kind < SSK_KIND_COUNT; kind++)
    cr_expect_eq(ssk_kind_by_name(ssk_kind_name((enum ssk_kind)kind)), kind);
  cr_expect_eq(ssk_kind_by_name("nothing"), -1);
}
