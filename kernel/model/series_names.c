/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/series_names.h"
#include "core/text.h"
#include <sskit/files.h>
#include <stdlib.h>
#include <string.h>

static struct ssk_series_origin origin_of(const struct ssk_data *data, enum ssk_split split,
                                          int64_t i) {
  const struct ssk_dataset_ops *ops = data->dataset->component->ops;
  struct ssk_series_origin from = {.size = sizeof from};
  ops->origin(data->dataset->self, split, i, &from);
  return from;
}

static bool has_names(const struct ssk_data *data) {
  const struct ssk_dataset_ops *ops = data->dataset->component->ops;
  return ops->origin && (ops->fill != ssk_files_fill || ssk_files_name_series(data->dataset->self));
}

static int by_text(const void *a, const void *b) {
  return strcmp(**(char **const *)a, **(char **const *)b);
}

/* Those that share their name with another get the step they begin at. `sorted` [n] points into
 * text. False without memory. */
static bool tell_apart(const struct ssk_data *data, enum ssk_split split,
                       struct ssk_series_names *names, char ***sorted) {
  bool *shared = calloc((size_t)names->n, sizeof *shared), fine = shared;
  for (int64_t i = 0; i < names->n; i++)
    sorted[i] = &names->text[i];
  qsort(sorted, (size_t)names->n, sizeof *sorted, by_text);
  for (int64_t i = 1; i < names->n && fine; i++)
    if (strcmp(*sorted[i], *sorted[i - 1]) == 0)
      shared[sorted[i] - names->text] = shared[sorted[i - 1] - names->text] = true;
  for (int64_t i = 0; i < names->n && fine; i++) {
    struct ssk_text longer = {0};
    if (!shared[i])
      continue;
    ssk_text_printf(&longer, "%s@%lld", names->text[i], (long long)origin_of(data, split, i).first);
    free(names->text[i]);
    names->text[i] = longer.data;
    fine = !longer.failed;
  }
  free(shared);
  return fine;
}

int ssk_series_names_read(const struct ssk_data *data, enum ssk_split split,
                          struct ssk_series_names *out, ssk_err *err) {
  *out = (struct ssk_series_names){0};
  const int64_t n = data->split[split].n;
  if (!n || !has_names(data))
    return SSK_OK;
  char ***sorted = malloc((size_t)n * sizeof *sorted);
  out->text = calloc((size_t)n, sizeof *out->text);
  bool fine = sorted && out->text;
  for (; fine && out->n < n; out->n++)
    fine = (out->text[out->n] = strdup(origin_of(data, split, out->n).name)) != NULL;
  fine = fine && tell_apart(data, split, out, sorted);
  free(sorted);
  if (fine)
    return SSK_OK;
  ssk_series_names_free(out);
  return ssk_err_set(err, SSK_ENOMEM, "no memory for the names of %lld series", (long long)n);
}

void ssk_series_names_free(struct ssk_series_names *names) {
  for (int64_t i = 0; i < names->n; i++)
    free(names->text[i]);
  free(names->text);
  *names = (struct ssk_series_names){0};
}
