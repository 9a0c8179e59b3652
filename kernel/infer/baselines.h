/* SPDX-License-Identifier: GPL-3.0-or-later */
/* baselines.h - forecasters that need no recipe: the floors and ceilings of every comparison. */
#ifndef SSK_INFER_BASELINES_H
#define SSK_INFER_BASELINES_H

#include "infer/forecaster.h"

struct ssk_baseline {
  const char *name; /* as a comparison names it; NULL ends the table */
  const char *summary;
  bool best_possible; /* knows the generating process: no model can be expected to do better */
  int (*make)(const struct ssk_baseline *self, const struct ssk_data *data,
              const struct ssk_evaluate_section *how, struct ssk_forecaster *out, ssk_err *err);
};
extern const struct ssk_baseline ssk_baselines[];

/* NULL when there is no such baseline. */
const struct ssk_baseline *ssk_baseline_find(const char *name);
/* A forecaster on `data` (borrowed for as long as it lives). Of `how` it takes the particles of the
 * oracle's filter, where the process is not linear, the season, and the settings of kalman_em,
 * which is fitted here. SSK_EDATA when the baseline needs an oracle and the data have none,
 * SSK_ERECIPE when it needs a season and there is none. */
int ssk_baseline_forecaster(const char *name, const struct ssk_data *data,
                            const struct ssk_evaluate_section *how, struct ssk_forecaster *out,
                            ssk_err *err);

#endif
