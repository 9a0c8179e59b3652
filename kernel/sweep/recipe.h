/* SPDX-License-Identifier: GPL-3.0-or-later */
/* recipe.h - a recipe that searches: what stands under `sweep`, and the recipes of its trials. */
#ifndef SSK_SWEEP_RECIPE_H
#define SSK_SWEEP_RECIPE_H

#include "model/experiment.h"
#include "sweep/axes.h"

enum ssk_sampler_kind { SSK_SAMPLE_GRID, SSK_SAMPLE_RANDOM, SSK_SAMPLE_SOBOL, SSK_SAMPLE_TPE };

struct ssk_sampler_section {
  int use;            /* enum ssk_sampler_kind */
  int64_t seed;       /* of all that is drawn */
  int64_t startup;    /* trials of tpe before it looks at their values */
  int64_t candidates; /* that tpe chooses from */
};
struct ssk_prune_section {
  int use;     /* 0 none, 1 asha */
  int by;      /* 0 the metric, 1 the bound, on the validation series */
  int64_t min; /* steps at the first rung */
  int64_t factor;
};
struct ssk_sweep_section {
  const char *recipe; /* what each trial trains, from the root */
  const char *metric; /* column of its evaluation */
  int64_t trials;     /* 0: the whole grid */
  struct ssk_sampler_section sampler;
  struct ssk_reals seeds;
  struct ssk_prune_section prune;
  const char *storage; /* "": sweep.db in the sweep's directory */
  double lease;        /* seconds without a sign of life after which a worker is taken for dead */
  int64_t losses;      /* of a run's workers, after which it counts as failed */
};

/* Free with ssk_sweep_free. */
struct ssk_sweep {
  const char *name;
  struct ssk_sweep_section sweep;
  struct ssk_strings set; /* overrides of every trial's recipe */
  /* not from rows: */
  struct ssk_axes axes;
  int64_t trials; /* how many there are to be */
  int column;     /* of `metric`, among the columns of the base recipe */
  int better;     /* of that column (scoring.h) */
  double ideal;
  char *identity; /* text of all that its trials depend on; owned */
  struct ssk_tree *tree;
  struct ssk_arena arena;
};

extern const struct ssk_param ssk_sweep_rows[];

/* Read a sweep's recipe. Overrides of sweep.* and name change the sweep, all others go to every
 * trial's recipe. Everything that can be wrong with a trial's recipe is diagnosed here: each axis
 * is tried at its limits and with each of its values, the others at their first. */
int ssk_sweep_load(const char *path, int n_overrides, const char *const *overrides,
                   struct ssk_registry *registry, struct ssk_sweep **out, ssk_err *err);
void ssk_sweep_free(struct ssk_sweep *sweep);
/* Whether a recipe file is one of a sweep; false also when it cannot be read. */
bool ssk_is_sweep_recipe(const char *path);

/* The recipe that the trial at `point` ([axes.n]) trains with this seed; *out is NULL on failure.
 */
int ssk_sweep_experiment(const struct ssk_sweep *sweep, const double *point, uint64_t seed,
                         struct ssk_registry *registry, struct ssk_experiment **out, ssk_err *err);
/* How far a value of the metric is from the best there could be: less is better. */
double ssk_sweep_loss(const struct ssk_sweep *sweep, double value);

#endif
