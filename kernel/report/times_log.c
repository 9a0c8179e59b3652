/* SPDX-License-Identifier: GPL-3.0-or-later */
/* times_log.c - a line of where a step's time went. */
#include "report/times_log.h"
#include "core/clock.h"
#include "core/text.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const char *const ssk_times_keys[SSK_WAYS] = {"time_forward/", "time_backward/"};

/* Of one component, or of a part of it. */
struct part {
  const char *component;
  double seconds[SSK_WAYS];
};

const char *ssk_profile_component(const struct ssk_profile_key *key) {
  const char *path = key->scope ? key->scope : "model";
  return strncmp(path, "model.", 6) == 0 ? path + 6 : path;
}

static int compare(const void *a, const void *b) {
  return strcmp(((const struct part *)a)->component, ((const struct part *)b)->component);
}

/* Parts by component -> components, whose number is returned. */
static int merge(struct part *parts, int n) {
  int kept = 0;
  if (n > 0)
    qsort(parts, (size_t)n, sizeof *parts, compare);
  for (int i = 0; i < n; i++) {
    if (kept == 0 || compare(&parts[kept - 1], &parts[i]) != 0) {
      parts[kept++] = parts[i];
      continue;
    }
    for (int way = 0; way < SSK_WAYS; way++)
      parts[kept - 1].seconds[way] += parts[i].seconds[way];
  }
  return kept;
}

static void write_line(struct ssk_text *line, int64_t step, const struct part *parts, int n,
                       double seconds) {
  ssk_text_printf(line, "{\"kind\":\"times\",\"step\":%" PRId64, step);
  for (int i = 0; i < n; i++)
    for (int way = 0; way < SSK_WAYS; way++)
      if (parts[i].seconds[way] > 0)
        ssk_text_printf(line, ",\"%s%s\":%.4g", ssk_times_keys[way], parts[i].component,
                        parts[i].seconds[way]);
  ssk_text_printf(line, ",\"time_seconds\":%.3f}\n", seconds);
}

int ssk_times_log(struct ssk_metrics_log *log, int64_t step, const struct ssk_profile *profiles,
                  int n, ssk_err *err) {
  int rows = 0, at = 0;
  for (int i = 0; i < n; i++)
    rows += profiles[i].n;
  struct part *parts = calloc((size_t)rows + 1, sizeof *parts);
  if (!parts)
    return ssk_err_set(err, SSK_ENOMEM, "no memory to log the times of a step");
  for (int i = 0; i < n; i++)
    for (int k = 0; k < profiles[i].n; k++, at++) {
      const struct ssk_profile_row *row = &profiles[i].rows[k];
      parts[at].component = ssk_profile_component(&row->key);
      for (int way = 0; way < SSK_WAYS; way++)
        parts[at].seconds[way] = row->way[way].seconds;
    }
  struct ssk_text line = {0};
  write_line(&line, step, parts, merge(parts, rows), ssk_clock() - log->started);
  int code = line.failed ? ssk_err_set(err, SSK_ENOMEM, "no memory to log the times of a step")
                         : ssk_metrics_write(log, line.data, line.length, err);
  ssk_text_free(&line);
  free(parts);
  return code;
}
