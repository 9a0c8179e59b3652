/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "infer/forecast_groups.h"
#include "core/hash.h"
#include <stdlib.h>

enum { most_in_group = 64 };

struct groups {
  const struct ssk_forecaster *forecaster;
  const struct ssk_data *data;
  enum ssk_split split;
  int64_t series;
  int context, horizon, samples, n;
  uint64_t seed;
  double *paths;
  struct group {
    int code;
    ssk_err *err;
  } * group;
};

static int first_of(const struct groups *all, int g) {
  return (int)((int64_t)all->samples * g / all->n);
}

static void forecast_group(int g, int thread, void *state) {
  struct groups *all = state;
  const int first = first_of(all, g), samples = first_of(all, g + 1) - first;
  const int32_t number = g;
  const uint64_t seed = g ? ssk_hash(all->seed, &number, sizeof number) : all->seed;
  double *paths = all->paths + (size_t)first * (size_t)all->horizon * (size_t)all->data->shape.D;
  all->group[g].code = all->forecaster->forecast(all->forecaster->self, all->data, all->split,
                                                 all->series, all->context, all->horizon, samples,
                                                 seed, thread, paths, all->group[g].err);
}

int ssk_forecast_groups(const struct ssk_forecaster *forecaster, struct ssk_pool *pool,
                        const struct ssk_data *data, enum ssk_split split, int64_t series,
                        int context, int horizon, int samples, uint64_t seed, double *paths,
                        ssk_err *err) {
  struct groups all = {.forecaster = forecaster,
                       .data = data,
                       .split = split,
                       .series = series,
                       .context = context,
                       .horizon = horizon,
                       .samples = samples,
                       .n = (samples + most_in_group - 1) / most_in_group,
                       .seed = seed,
                       .paths = paths};
  int code = SSK_OK;
  all.group = calloc((size_t)all.n, sizeof *all.group);
  for (int g = 0; all.group && g < all.n && !code; g++)
    code = (all.group[g].err = ssk_err_new()) ? SSK_OK : SSK_ENOMEM;
  if (!all.group || code) {
    code = ssk_err_set(err, SSK_ENOMEM, "no memory for %d groups of paths", all.n);
  } else {
    ssk_pool_run(pool, all.n, forecast_group, &all);
    for (int g = 0; g < all.n && !code; g++)
      if (all.group[g].code)
        code = ssk_err_set(err, all.group[g].code, "%s", ssk_err_message(all.group[g].err, 0));
  }
  for (int g = 0; all.group && g < all.n; g++)
    ssk_err_free(all.group[g].err);
  free(all.group);
  return code;
}
