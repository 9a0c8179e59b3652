/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sskit.h - a trained model within another program: open a run, condition on a series, forecast.
 *
 *     ssk_err *err = ssk_err_new();
 *     ssk_trained *model;
 *     if (ssk_trained_open("runs/boiler", &model, err) ||
 *         ssk_trained_condition(model, &series, err) ||
 *         ssk_trained_forecast(model, horizon, samples, 0, paths, err))
 *       ssk_err_print(err, stderr, false);
 *
 * Arrays are row-major, of doubles, in the data's own units; NaN is a missing value. All belong to
 * the caller; nothing of them is kept but copies. Functions that can fail return SSK_OK or a code
 * of err.h, and say why in err, which may be NULL. The library never prints and never leaves the
 * process.
 *
 * A model belongs to one thread at a time; different models may be used in different threads at
 * once, each with an err of its own. What is computed runs on the calling thread and depends on the
 * arguments alone: not on threads, earlier calls or other models. */
#ifndef SSKIT_SSKIT_H
#define SSKIT_SSKIT_H

#include <sskit/err.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ssk_trained ssk_trained;

/* Sizes of a series, as the model was trained on them. */
struct ssk_trained_sizes {
  int dimensions; /* D, of an observation */
  int covariates; /* V, known inputs of each step; 0: none */
  int statics;    /* E, known inputs of a series; 0: none */
};

/* A series. */
struct ssk_trained_series {
  int steps;       /* observed ones, at least 1 */
  const double *x; /* [steps, D]; NaN: missing */
  int known; /* steps whose covariates are known: `steps` and the horizon's; V = 0: not read */
  const double *u; /* [known, V], finite; NULL where V = 0 */
  const double *s; /* [E], finite; NULL where E = 0 */
};

/* Open a run directory (its latest checkpoint) or a checkpoint file, with the averaged weights. The
 * data of its training need not be there, unless the checkpoint is of an earlier version. Plugins
 * are looked for as the program sskit does: SSKIT_PLUGIN_PATH, then the installed folder. *out is
 * NULL on failure; free it with ssk_trained_free. */
SSK_API int ssk_trained_open(const char *path, ssk_trained **out, ssk_err *err);
/* Accepts NULL. */
SSK_API void ssk_trained_free(ssk_trained *model);
SSK_API struct ssk_trained_sizes ssk_trained_sizes(const ssk_trained *model);

/* Condition on a series, in the place of the one before. SSK_EDATA where a value is infinite, a
 * covariate is not finite, or the model's emission does not take a value; the model is then
 * conditioned on nothing. */
SSK_API int ssk_trained_condition(ssk_trained *model, const struct ssk_trained_series *series,
                                  ssk_err *err);
/* Draw paths[samples, horizon, D] of the steps that follow. The numbers are those of `sskit
 * forecast
 * --data` for the first series of a file. `seed` names the random numbers; 0: the recipe's. At
 * least one of each. SSK_EUSAGE without a series; SSK_EDATA where it has fewer steps than the
 * model's order, or no covariates for the horizon. */
SSK_API int ssk_trained_forecast(ssk_trained *model, int horizon, int samples, uint64_t seed,
                                 double *paths, ssk_err *err);

#ifdef __cplusplus
}
#endif
#endif
