/* SPDX-License-Identifier: GPL-3.0-or-later */
/* study.c - the rows of a study's section, and reading a study by them. */
#include "model/study.h"
#include "model/expect.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Each seed is one training. */
static const char *check_seeds(const void *self) {
  const struct ssk_reals *seeds = &((const struct ssk_compare_section *)self)->seeds;
  bool good = seeds->n > 0;
  for (int i = 0; i < seeds->n; i++) {
    good = good && seeds->items[i] == floor(seeds->items[i]);
    for (int k = 0; k < i; k++)
      good = good && seeds->items[i] != seeds->items[k];
  }
  return good ? NULL : "must be whole numbers, each of them once";
}

static const struct ssk_param compare_rows[] = {
    SSK_PARAM_STRINGS(
        struct ssk_compare_section, rows, NULL,
        "Rows of the table: recipe files, relative to this one, or baselines "
        "(oracle, oracle_gaussian, persistence, seasonal_naive, marginal, kalman_em)."),
    SSK_PARAM_NAMES(struct ssk_compare_section, freeze, "[]", ssk_part_names,
                    "Parts that no row trains: all have them from the training of `start` with "
                    "the same seed, so that rows differ in the rest alone."),
    SSK_PARAM_STRING(struct ssk_compare_section, start, "",
                     "Recipe file, relative to this one, that is trained first, once with each "
                     "seed, and gives the rows the weights of `freeze`."),
    {.name = "seeds",
     .type = SSK_T_REALS,
     .offset = SSK_MEMBER_(struct ssk_compare_section, seeds, struct ssk_reals),
     .default_text = "[1]",
     .min = 0,
     .max = 9e15,
     .optional = true,
     .doc = "Each model is trained once with each seed.",
     .check = check_seeds},
    SSK_PARAM_INT(struct ssk_compare_section, bootstrap, "1000", 0, 1e6, NULL,
                  "Resamples of the paired intervals; 0: none."),
    SSK_PARAM_INT(struct ssk_compare_section, lags, "-1", -1, 1e6, NULL,
                  "Autocovariances in the variance of the Diebold-Mariano test; -1: the horizon "
                  "less 1, for series that are successive forecast origins; 0 for independent "
                  "series."),
    SSK_PARAM_BOOL(struct ssk_compare_section, sequential, "false",
                   "Evaluate on more and more series until each row is told apart from the first, "
                   "by intervals that are valid at every look (also --sequential)."),
    SSK_PARAM_STRING(struct ssk_compare_section, decide, "",
                     "Metric that decides then; not given: the first."),
    SSK_PARAM_INT(struct ssk_compare_section, look, "50", 10, 1e9, "series",
                  "Series at the first look; each further look has twice as many."),
    SSK_PARAM_END};

const struct ssk_param ssk_study_rows[] = {
    SSK_PARAM_STRING(struct ssk_study, name, "comparison", "Name of the study."),
    SSK_PARAM_SECTION(struct ssk_study, compare, compare_rows, "What is compared."),
    SSK_PARAM_STRINGS(struct ssk_study, set, NULL,
                      "Overrides a.b=c that apply to the recipe of every row."),
    SSK_PARAM_END};

/* Overrides of a study's own keys change the study; all others go to every row's recipe. */
static bool is_own_key(const char *override) {
  return !strncmp(override, "compare.", 8) || !strncmp(override, "name=", 5);
}

int ssk_study_load(const char *path, int n_overrides, const char *const *overrides,
                   struct ssk_registry *registry, struct ssk_study **out, ssk_err *err) {
  *out = NULL;
  struct ssk_study *study = calloc(1, sizeof *study);
  struct ssk_override *own = calloc((size_t)n_overrides + 1, sizeof *own);
  if (!study || !own) {
    free(study);
    free(own);
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the recipe");
  }
  int n_own = 0, n_rest = 0;
  for (int i = 0; i < n_overrides; i++)
    if (is_own_key(overrides[i]))
      own[n_own++].text = overrides[i];
  study->tree = ssk_tree_load(path, n_own, own, getenv("SSKIT_RECIPE_PATH"), err);
  free(own);
  struct ssk_maker maker = ssk_registry_maker(registry);
  int code = study->tree ? ssk_schema_fill(ssk_study_rows, study, study->tree->root, "",
                                           ssk_recipe_skipped, &maker, &study->arena, err)
                         : ssk_err_code(err);
  int failure = study->tree ? ssk_expectations_check(study->tree, err) : SSK_OK;
  code = code ? code : failure;
  if (!code && !study->compare.rows.n) {
    const struct ssk_node *rows = ssk_node_find(study->tree->root, "compare");
    code = ssk_err_at(err, SSK_ERECIPE, rows ? &rows->pos : NULL, "compare.rows is empty");
    ssk_err_hint(err, "list recipe files and baselines: rows: [oracle, ddssm.yaml, dkf.yaml]");
  }
  if (!code && !study->compare.freeze.n != !*study->compare.start) {
    bool freezes = study->compare.freeze.n;
    const struct ssk_node *at =
        ssk_node_find(study->tree->root, freezes ? "compare.freeze" : "compare.start");
    code = ssk_err_at(err, SSK_ERECIPE, at ? &at->pos : NULL, "%s",
                      freezes ? "compare.freeze needs compare.start, which frozen parts come from"
                              : "compare.start is for compare.freeze, which names no part");
    ssk_err_hint(err, "freeze: [encoder, emission], start: ddssm.yaml");
  }
  if (!code) {
    int total = study->set.n + n_overrides - n_own;
    const char **set = ssk_arena_alloc(&study->arena, ((size_t)total + 1) * sizeof *set);
    if (!set)
      code = ssk_err_set(err, SSK_ENOMEM, "no memory for the recipe");
    for (int i = 0; set && i < study->set.n; i++)
      set[i] = study->set.items[i];
    for (int i = 0; set && i < n_overrides; i++)
      if (!is_own_key(overrides[i]))
        set[study->set.n + n_rest++] = ssk_arena_strdup(&study->arena, overrides[i]);
    study->set = (struct ssk_strings){.n = total, .items = set};
  }
  if (code) {
    ssk_study_free(study);
    return code;
  }
  *out = study;
  return SSK_OK;
}

void ssk_study_free(struct ssk_study *study) {
  if (!study)
    return;
  ssk_schema_free(ssk_study_rows, study);
  ssk_arena_free(&study->arena);
  ssk_tree_free(study->tree);
  free(study);
}

bool ssk_is_study(const char *path) {
  struct ssk_tree *tree = ssk_tree_load(path, 0, NULL, getenv("SSKIT_RECIPE_PATH"), NULL);
  bool study = tree && ssk_node_get(tree->root, "compare");
  ssk_tree_free(tree);
  return study;
}
