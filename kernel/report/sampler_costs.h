/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sampler_costs.h - quality against cost: a trained diffusion evaluated with one sampler after
 * another, each at several numbers of steps; weights, series and all other random numbers are the
 * same. A run directory keeps the points in samplers.jsonl, which sskit plot draws:
 *     {"sampler":"heun","settings":"churn=4","steps":8,"evaluations":15,"checkpoint_step":2000,
 *      "overrides":"evaluate.series=40","series":40,"metrics":{"crps":{"mean":...,"se":...},...}}
 */
#ifndef SSK_REPORT_SAMPLER_COSTS_H
#define SSK_REPORT_SAMPLER_COSTS_H

#include "core/pool.h"
#include "registry/registry.h"
#include <jansson.h>

extern const char ssk_sampler_costs_file[]; /* within a run directory */

struct ssk_sampler_costs_how {
  const char *run;   /* directory or checkpoint */
  const char *names; /* of samplers, with commas between; "all": that have a parameter `steps` */
  int n_steps;
  const int64_t *steps; /* [n_steps] of each sampler */
  int n_overrides;      /* of the recipe; of the sampler's own keys all but `use` and `steps` */
  const char *const *overrides;
};

/* Called with each point as soon as it is measured, and kept; borrowed. */
typedef void ssk_sampler_point(void *user, const json_t *point);

/* Measure all points with those metrics of the recipe that depend on draws of the model. Where
 * `run` is a directory, each goes into its samplers.jsonl: in the place of the same point, and
 * together with those of the same checkpoint and overrides alone, as others cannot be compared.
 * SSK_EUSAGE for a run that draws by no sampler; the codes of ssk_run_open and ssk_run_evaluate. */
int ssk_sampler_costs(const struct ssk_sampler_costs_how *how, struct ssk_registry *registry,
                      struct ssk_pool *pool, ssk_sampler_point *measured, void *user, ssk_err *err);

#endif
