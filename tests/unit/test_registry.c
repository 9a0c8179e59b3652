/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The registry's contract, magic block and floating-point guard, on descriptors made here. What
 * needs a real shared object is in tests/badplugins. */
#include "registry/fpcontrol.h"
#include "registry/load.h"
#include "registry/registry.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* ---- a component with nothing wrong
 * -------------------------------------------------------------- */

struct subject {
  double scale;
  int64_t steps;
  int mode;
  struct ssk_reals levels;
  struct {
    bool on;
  } extra;
};

static const char *const modes[] = {"fast", "slow", NULL};
static const struct ssk_param extra_rows[] = {
    {.name = "on", .type = SSK_T_BOOL, .default_text = "true", .doc = "Whether."}, SSK_PARAM_END};

/* Made anew for each test, so that a test may spoil it. */
struct specimen {
  struct ssk_param rows[6];
  struct ssk_transition_ops ops;
  struct ssk_component component;
};

static int build(void *self, ssk_builder *b, const struct ssk_dims *dims) {
  (void)self, (void)b, (void)dims;
  return SSK_OK;
}
static ssk_tensor *draw(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *rows) {
  (void)self, (void)ctx, (void)rows;
  return NULL;
}

static void make(struct specimen *s) {
  *s = (struct specimen){
      .rows = {SSK_PARAM_REAL(struct subject, scale, "0.5", 0, 1, NULL, "A scale."),
               SSK_PARAM_INT(struct subject, steps, "3", 1, 9, "steps", "Steps."),
               SSK_PARAM_ENUM(struct subject, mode, "slow", modes, "How."),
               SSK_PARAM_REALS(struct subject, levels, "[0.1, 0.9]", 0, 1, NULL, "Levels."),
               SSK_PARAM_SECTION(struct subject, extra, extra_rows, "More."), SSK_PARAM_END},
      .ops = {.size = sizeof s->ops, .build = build, .sample = draw, .log_prob = draw},
      .component = {.size = sizeof s->component,
                    .kind = SSK_TRANSITION,
                    .name = "specimen_1",
                    .summary = "for tests",
                    .doc = "For tests.",
                    .self_size = sizeof(struct subject)}};
  s->component.params = s->rows;
  s->component.ops = &s->ops;
}

/* The contract's verdict on the specimen must be this message; NULL: it is accepted. */
static void expect_verdict(const struct specimen *s, const char *message) {
  ssk_err *err = ssk_err_new();
  int code = ssk_contract_check(&s->component, err);
  cr_expect_eq(code, message ? SSK_EPLUGIN : SSK_OK, "%s", ssk_err_message(err, 0));
  cr_expect_str_eq(ssk_err_message(err, 0), message ? message : "");
  cr_expect_eq(ssk_err_count(err), message ? 1 : 0);
  ssk_err_free(err);
}

Test(registry, contract_accepts_what_is_sound) {
  struct specimen s;
  make(&s);
  expect_verdict(&s, NULL);
  s.component.params = NULL;
  expect_verdict(&s, NULL);
}

Test(registry, contract_checks_slots_of_the_kind) {
  struct specimen s;
  make(&s);
  s.ops.log_prob = NULL;
  expect_verdict(&s,
                 "transition 'specimen_1': it needs the slot 'moments', or 'sample' with 'rate' "
                 "or 'log_prob'");
  s.ops.rate = draw;
  expect_verdict(&s, NULL);
  s.ops.build = NULL;
  expect_verdict(&s, "transition 'specimen_1': its required slot 'build' is NULL");
  s.component.ops = NULL;
  expect_verdict(&s, "transition 'specimen_1': its ops struct is missing");
}

/* The kinds' tables: with all slots NULL, the first required one is named. */
Test(registry, contract_knows_the_slots_of_every_kind) {
  static const struct {
    size_t size;
    const char *slot;
  } kinds[SSK_KIND_COUNT] = {
      [SSK_DATASET] = {sizeof(struct ssk_dataset_ops), "open"},
      [SSK_SUMMARY] = {sizeof(struct ssk_summary_ops), "build"},
      [SSK_ENCODER] = {sizeof(struct ssk_encoder_ops), "build"},
      [SSK_EMISSION] = {sizeof(struct ssk_emission_ops), "build"},
      [SSK_INITIAL] = {sizeof(struct ssk_initial_ops), "build"},
      [SSK_TRANSITION] = {sizeof(struct ssk_transition_ops), "build"},
      [SSK_SCHEDULE] = {sizeof(struct ssk_schedule_ops), "sigma"},
      [SSK_DENOISER] = {sizeof(struct ssk_denoiser_ops), "build"},
      [SSK_MIXER] = {sizeof(struct ssk_mixer_ops), "build"},
      [SSK_SAMPLER] = {sizeof(struct ssk_sampler_ops), "run"},
      [SSK_OBJECTIVE] = {sizeof(struct ssk_objective_ops), "loss"},
      [SSK_METRIC] = {sizeof(struct ssk_metric_ops), "definition"},
      [SSK_NETWORK] = {sizeof(struct ssk_network_ops), "build"},
  };
  for (int kind = 0; kind < SSK_KIND_COUNT; kind++) {
    union {
      size_t size;
      char bytes[256];
    } ops;
    char message[128];
    struct specimen s;
    make(&s);
    memset(&ops, 0, sizeof ops);
    ops.size = kinds[kind].size;
    s.component.kind = kind;
    s.component.ops = &ops;
    snprintf(message, sizeof message, "%s 'specimen_1': its required slot '%s' is NULL",
             ssk_kind_name(kind), kinds[kind].slot);
    expect_verdict(&s, message);
    ops.size++;
    snprintf(message, sizeof message,
             "%s 'specimen_1': its ops struct has a size of %zu bytes, this sskit's has %zu",
             ssk_kind_name(kind), ops.size, kinds[kind].size);
    expect_verdict(&s, message);
  }
}

static void define(const void *self, char *text, size_t n) {
  (void)self;
  snprintf(text, n, "any");
}

static double any_value(const void *self, const struct ssk_case *c) {
  (void)self, (void)c;
  return 0;
}

/* A metric has a value a series, or the slots of a pooled figure. */
Test(registry, contract_knows_both_forms_of_metrics) {
  struct ssk_metric_ops ops = {.size = sizeof ops, .definition = define, .unit = "1"};
  struct specimen s;
  make(&s);
  s.component.kind = SSK_METRIC;
  s.component.ops = &ops;
  expect_verdict(&s, "metric 'specimen_1': its required slot 'value' is NULL");
  ops.value = any_value;
  expect_verdict(&s, NULL);
  ops.terms = 2;
  expect_verdict(&s, "metric 'specimen_1': a pooled figure needs the slots 'accumulate' and "
                     "'finish'");
  ops.terms = SSK_METRIC_TERMS + 1;
  expect_verdict(&s, "metric 'specimen_1': its 'terms' is not between 0 and SSK_METRIC_TERMS");
}

Test(registry, contract_checks_rows) {
  struct specimen s;
#define SPOIL(change, message)                                                                     \
  make(&s);                                                                                        \
  change;                                                                                          \
  expect_verdict(&s, "transition 'specimen_1': " message)
  SPOIL(s.rows[0].name = "9lives", "a parameter has the invalid name '9lives'");
  SPOIL(s.rows[0].name = "use", "a parameter has the invalid name 'use'");
  SPOIL(s.rows[1].name = "scale", "parameter 'scale': another parameter has the same name");
  SPOIL(s.rows[1].offset = 0, "parameter 'steps': another parameter has the same member");
  SPOIL(s.rows[1].offset = 12, "parameter 'steps': its member is not aligned");
  SPOIL(s.component.self_size = sizeof(double),
        "parameter 'steps': its member lies outside of the component's struct");
  SPOIL(s.rows[1].type = (enum ssk_type)99, "parameter 'steps': its type is unknown");
  SPOIL(s.rows[0].doc = "", "parameter 'scale': its doc is missing");
  SPOIL(s.rows[0].min = 2, "parameter 'scale': its range is empty");
  SPOIL(s.rows[2].choices = NULL, "parameter 'mode': it has no choices");
  SPOIL(s.rows[4].rows = NULL, "parameter 'extra': its rows are missing");
#undef SPOIL
}

/* Defaults are read as recipes are: what a recipe could not say is no default. */
Test(registry, contract_checks_defaults) {
  static const struct {
    int row;
    const char *text;
  } wrong[] = {{0, "1.5"}, {0, "much"}, {1, "2.5"}, {1, "0"}, {2, "medium"}, {3, "[0.5, 2]"}};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    struct specimen s;
    make(&s);
    s.rows[wrong[i].row].default_text = wrong[i].text;
    ssk_err *err = ssk_err_new();
    cr_expect_eq(ssk_contract_check(&s.component, err), SSK_EPLUGIN, "default %s of %s",
                 wrong[i].text, s.rows[wrong[i].row].name);
    cr_expect(strstr(ssk_err_message(err, 0), s.rows[wrong[i].row].name) != NULL);
    ssk_err_free(err);
  }
}

/* ---- the magic block
 * ------------------------------------------------------------------------------ */

Test(registry, magic_block_is_compared_field_by_field) {
  const struct ssk_magic sound = {.magic = SSK_MAGIC,
                                  .size = sizeof(struct ssk_magic),
                                  .abi = SSK_ABI,
                                  .real_size = sizeof(ssk_real),
                                  .version = "another"};
  struct ssk_magic spoiled[] = {sound, sound, sound, sound};
  static const char *const named[] = {"magic number", "magic block", "ABI number", "real numbers"};
  spoiled[0].magic ^= 1;
  spoiled[1].size += 8;
  spoiled[2].abi += 1;
  spoiled[3].real_size = 12 - sizeof(ssk_real);
  ssk_err *err = ssk_err_new();
  cr_expect_eq(ssk_magic_check(&sound, err), SSK_OK);
  for (int i = 0; i < 4; i++) {
    struct ssk_diagnostic d;
    ssk_err_clear(err);
    cr_expect_eq(ssk_magic_check(&spoiled[i], err), SSK_EPLUGIN);
    cr_assert(ssk_err_get(err, 0, &d));
    cr_expect(strstr(d.message, named[i]) != NULL, "%s", d.message);
    cr_expect(d.hint != NULL, "no cure for: %s", d.message);
  }
  ssk_err_free(err);
}

/* ---- the floating-point control word
 * ---------------------------------------------------------------- */

#if defined(__x86_64__)
Test(registry, control_word_shows_and_restores_denormals) {
  volatile double tiny = 4e-320;
  const struct ssk_fpcontrol before = ssk_fpcontrol_get();
  struct ssk_fpcontrol flushing = before;
  flushing.vector |= 0x8040; /* flush to zero, denormals are zero */
  ssk_fpcontrol_set(flushing);
  const volatile double flushed = tiny * 2;
  const bool equal = ssk_fpcontrol_equal(before, ssk_fpcontrol_get());
  ssk_fpcontrol_set(before);
  cr_expect(!equal, "the change is seen");
  cr_expect_eq(flushed, 0, "denormals were off");
  cr_expect(tiny * 2 > 0, "and are on again");
  cr_expect(ssk_fpcontrol_equal(before, ssk_fpcontrol_get()));
}
#endif

/* ---- finding
 * ---------------------------------------------------------------------------------------- */

Test(registry, finds_what_plugins_provide_and_nears_what_they_do_not) {
  ssk_err *err = ssk_err_new();
  struct ssk_registry *registry = ssk_registry_new(err);
  struct ssk_diagnostic d;
  cr_assert_eq(ssk_registry_add_default(registry, err), SSK_OK, "%s", ssk_err_message(err, 0));
  const struct ssk_component *found =
      ssk_registry_find(registry, SSK_TRANSITION, "random_walk", NULL, err);
  cr_assert(found);
  cr_expect_str_eq(found->name, "random_walk");
  cr_expect_eq(found->kind, SSK_TRANSITION);
  cr_expect_null(ssk_registry_find(registry, SSK_TRANSITION, "random_wlak", NULL, err));
  cr_assert(ssk_err_get(err, 0, &d));
  cr_expect_eq(d.code, SSK_EPLUGIN);
  cr_expect_str_eq(d.hint, "did you mean 'random_walk'?");

  const struct ssk_component *last = NULL, *next;
  for (int i = 0; (next = ssk_registry_at(registry, i, NULL)); last = next, i++)
    if (last)
      cr_expect(last->kind < next->kind ||
                    (last->kind == next->kind && strcmp(last->name, next->name) < 0),
                "%s comes before %s", last->name, next->name);
  ssk_registry_free(registry);
  ssk_err_free(err);
}
