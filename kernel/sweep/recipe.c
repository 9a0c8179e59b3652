/* SPDX-License-Identifier: GPL-3.0-or-later */
/* recipe.c - the rows of a sweep's section, and reading a sweep by them. What its axes come to in
 * the recipes of trials is looked at in check.c. */
#include "sweep/recipe.h"
#include "infer/evaluate.h"
#include "model/expect.h"
#include "sweep/check.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const samplers[] = {"grid", "random", "sobol", "tpe", NULL};
static const char *const pruners[] = {"none", "asha", NULL};
static const char *const measures[] = {"metric", "bound", NULL};

static const struct ssk_param sampler_rows[] = {
    SSK_PARAM_ENUM(
        struct ssk_sampler_section, use, "tpe", samplers,
        "grid: all combinations; random: independent draws; sobol: a low-discrepancy "
        "sequence (Sobol 1967), shifted by the seed; tpe: tree-structured Parzen "
        "estimators (Bergstra et al. 2011) of good and bad trials, of all axes jointly."),
    SSK_PARAM_INT(struct ssk_sampler_section, seed, "1", 0, 9e15, NULL,
                  "Seed of what is drawn. Grid, random and sobol draw trial i by it and i alone."),
    SSK_PARAM_INT(struct ssk_sampler_section, startup, "20", 1, 1e6, "trials",
                  "Of tpe: first trials, drawn as by sobol."),
    SSK_PARAM_INT(struct ssk_sampler_section, candidates, "24", 1, 1e5, NULL,
                  "Of tpe: points drawn near the good trials, the most promising of which is "
                  "taken."),
    SSK_PARAM_END};

static const struct ssk_param prune_rows[] = {
    SSK_PARAM_ENUM(struct ssk_prune_section, use, "none", pruners,
                   "asha: stop a run at a rung unless it is among the best 1/factor of all runs of "
                   "its seed that came there (asynchronous successive halving, Li et al. 2020)."),
    SSK_PARAM_ENUM(struct ssk_prune_section, by, "metric", measures,
                   "What is compared at rungs: the sweep's metric, or the negative bound, both on "
                   "the validation series."),
    SSK_PARAM_INT(struct ssk_prune_section, min, "100", 1, 1e9, "steps",
                  "Steps of training at the first rung; each further one is at factor times as "
                  "many."),
    SSK_PARAM_INT(struct ssk_prune_section, factor, "3", 2, 1000, NULL,
                  "The reduction factor: one of so many goes on."),
    SSK_PARAM_END};

static const struct ssk_param section_rows[] = {
    SSK_PARAM_PATH(struct ssk_sweep_section, recipe, NULL,
                   "Recipe file of what each trial trains, relative to this one."),
    SSK_PARAM_STRING(struct ssk_sweep_section, metric, NULL,
                     "Metric that decides, one of the recipe's evaluate.metrics (or at one step: "
                     "crps_h1). It is taken on the validation series, never on the test series."),
    SSK_PARAM_INT(struct ssk_sweep_section, trials, "0", 0, 1e6, NULL,
                  "Settings that are tried; 0: all of a grid."),
    SSK_PARAM_SECTION(struct ssk_sweep_section, sampler, sampler_rows, "How settings are chosen."),
    SSK_PARAM_REALS(struct ssk_sweep_section, seeds, "[1]", 0, 9e15, NULL,
                    "Each trial is trained once with each seed; its value is their mean."),
    SSK_PARAM_SECTION(struct ssk_sweep_section, prune, prune_rows,
                      "Stopping runs early that do badly."),
    SSK_PARAM_STRING(struct ssk_sweep_section, storage, "",
                     "Where the trials are kept: postgresql://..., for several machines; not "
                     "given: a file of SQLite in the sweep's directory (also --storage)."),
    SSK_PARAM_REAL(struct ssk_sweep_section, lease, "120", 1, 1e6, "s",
                   "A worker that gave no sign of life for so long is taken for dead, and its run "
                   "is begun again by another. One that died on the same machine is seen at once."),
    SSK_PARAM_INT(struct ssk_sweep_section, losses, "10", 1, 1e6, NULL,
                  "A run whose workers died so often has failed."),
    SSK_PARAM_END};

const struct ssk_param ssk_sweep_rows[] = {
    SSK_PARAM_STRING(struct ssk_sweep, name, "sweep", "Name of the sweep."),
    SSK_PARAM_SECTION(
        struct ssk_sweep, sweep, section_rows,
        "What is searched; its key `axes` names the recipe keys that are varied, each "
        "with a kind of values: uniform, loguniform, int, grid, list, categorical."),
    SSK_PARAM_STRINGS(struct ssk_sweep, set, NULL,
                      "Overrides a.b=c that apply to the recipe of every trial."),
    SSK_PARAM_END};

double ssk_sweep_loss(const struct ssk_sweep *sweep, double value) {
  return sweep->better < 0 ? value : sweep->better > 0 ? -value : fabs(value - sweep->ideal);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Overrides of a sweep's own keys change the sweep; all others go to every trial's recipe. */
static bool is_own_key(const char *override) {
  return !strncmp(override, "sweep.", 6) || !strncmp(override, "name=", 5);
}

static const struct ssk_pos *place_of(const struct ssk_sweep *s, const char *key) {
  const struct ssk_node *node = ssk_node_find(s->tree->root, key);
  return node ? &node->pos : NULL;
}

/* Fill the section `sweep`, whose key `axes` no row knows; then the rest. */
static int fill(struct ssk_sweep *s, struct ssk_registry *registry, ssk_err *err) {
  static const char *const axes_key[] = {"axes", NULL};
  struct ssk_node *section = ssk_node_get(s->tree->root, "sweep");
  const struct ssk_param own[] = {ssk_sweep_rows[0], ssk_sweep_rows[2], SSK_PARAM_END};
  static const char *const skipped[] = {"sweep", NULL};
  struct ssk_maker maker = ssk_registry_maker(registry);
  int code = ssk_schema_fill(own, s, s->tree->root, "", skipped, &maker, &s->arena, err);
  if (!section || section->type != SSK_NODE_MAP)
    return ssk_err_at(err, SSK_ERECIPE, section ? &section->pos : NULL,
                      "'sweep' must be a map of keys");
  int failure =
      ssk_schema_fill(section_rows, &s->sweep, section, "sweep", axes_key, &maker, &s->arena, err);
  code = code ? code : failure;
  const struct ssk_node *axes = ssk_node_get(section, "axes");
  failure =
      axes ? ssk_axes_read(axes, &s->arena, &s->axes, err)
           : ssk_err_at(err, SSK_ERECIPE, &section->key_pos, "missing required key 'sweep.axes'");
  return code ? code : failure;
}

/* All overrides of trials: the recipe's, then those of the command line. */
static int join_overrides(struct ssk_sweep *s, int n, const char *const *overrides, ssk_err *err) {
  const char **set = ssk_arena_alloc(&s->arena, ((size_t)(s->set.n + n) + 1) * sizeof *set);
  int total = 0;
  if (!set)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the recipe");
  for (int i = 0; i < s->set.n; i++)
    set[total++] = s->set.items[i];
  for (int i = 0; i < n; i++)
    if (!is_own_key(overrides[i]) && !(set[total++] = ssk_arena_strdup(&s->arena, overrides[i])))
      return ssk_err_set(err, SSK_ENOMEM, "no memory for the recipe");
  s->set = (struct ssk_strings){.n = total, .items = set};
  return SSK_OK;
}

/* What only makes sense together. */
static int check_together(struct ssk_sweep *s, ssk_err *err) {
  const struct ssk_sweep_section *w = &s->sweep;
  double grid = 1;
  for (int i = 0; i < w->seeds.n; i++)
    for (int k = 0; k <= i; k++)
      if (w->seeds.items[i] != floor(w->seeds.items[i]) ||
          (k < i && w->seeds.items[k] == w->seeds.items[i]))
        return ssk_err_at(err, SSK_ERECIPE, place_of(s, "sweep.seeds"),
                          "sweep.seeds must be different whole numbers");
  if (!w->seeds.n)
    return ssk_err_at(err, SSK_ERECIPE, place_of(s, "sweep.seeds"), "sweep.seeds names no seed");
  for (int i = 0; i < s->axes.n && w->sampler.use == SSK_SAMPLE_GRID; i++) {
    const struct ssk_axis *axis = &s->axes.items[i];
    if (!axis->n) {
      ssk_err_at(err, SSK_ERECIPE, &axis->node->key_pos,
                 "axis '%s': '%s' has no end of values, and the sampler grid tries all", axis->key,
                 ssk_axis_kind_name(axis->kind));
      ssk_err_hint(err, "{grid: [%g, %g, 5]} are five of them", axis->low, axis->high);
      return SSK_ERECIPE;
    }
    grid *= (double)axis->n;
  }
  if (w->sampler.use == SSK_SAMPLE_GRID && grid > 1e6)
    return ssk_err_at(err, SSK_ERECIPE, place_of(s, "sweep.axes"),
                      "the grid has %g points, more than a million", grid);
  if (w->sampler.use == SSK_SAMPLE_SOBOL && s->axes.n > 40)
    return ssk_err_at(err, SSK_ERECIPE, place_of(s, "sweep.axes"),
                      "sobol has 40 dimensions, the sweep has %d axes", s->axes.n);
  if (w->sampler.use != SSK_SAMPLE_GRID && !w->trials) {
    const struct ssk_pos *given = place_of(s, "sweep.trials");
    ssk_err_at(err, SSK_ERECIPE, given ? given : &ssk_node_get(s->tree->root, "sweep")->key_pos,
               "sweep.trials does not say how many");
    ssk_err_hint(err, "0, all, is for the sampler grid");
    return SSK_ERECIPE;
  }
  s->trials = w->trials;
  if (w->sampler.use == SSK_SAMPLE_GRID && (!w->trials || (double)w->trials > grid))
    s->trials = (int64_t)grid;
  return SSK_OK;
}

static int load(struct ssk_sweep *s, int n, const char *const *overrides,
                struct ssk_registry *registry, ssk_err *err) {
  int code = fill(s, registry, err);
  if (!code)
    code = join_overrides(s, n, overrides, err);
  if (!code)
    code = check_together(s, err);
  return code ? code : ssk_sweep_check(s, section_rows, registry, err);
}

int ssk_sweep_load(const char *path, int n_overrides, const char *const *overrides,
                   struct ssk_registry *registry, struct ssk_sweep **out, ssk_err *err) {
  *out = NULL;
  struct ssk_sweep *s = calloc(1, sizeof *s);
  struct ssk_override *own = calloc((size_t)n_overrides + 1, sizeof *own);
  int n_own = 0;
  if (!s || !own) {
    free(s);
    free(own);
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the recipe");
  }
  for (int i = 0; i < n_overrides; i++)
    if (is_own_key(overrides[i]))
      own[n_own++].text = overrides[i];
  s->tree = ssk_tree_load(path, n_own, own, getenv("SSKIT_RECIPE_PATH"), err);
  free(own);
  int code = s->tree ? load(s, n_overrides, overrides, registry, err) : ssk_err_code(err);
  if (code) {
    ssk_sweep_free(s);
    return code;
  }
  *out = s;
  return SSK_OK;
}

void ssk_sweep_free(struct ssk_sweep *s) {
  if (!s)
    return;
  ssk_schema_free(ssk_sweep_rows, s);
  ssk_arena_free(&s->arena);
  ssk_tree_free(s->tree);
  free(s->identity);
  free(s);
}

bool ssk_is_sweep_recipe(const char *path) {
  struct ssk_tree *tree = ssk_tree_load(path, 0, NULL, getenv("SSKIT_RECIPE_PATH"), NULL);
  bool sweep = tree && ssk_node_get(tree->root, "sweep");
  ssk_tree_free(tree);
  return sweep;
}
