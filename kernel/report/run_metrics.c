/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_metrics.c - metrics.jsonl, written line by line without allocating. */
#include "report/run_metrics.h"

#include "core/clock.h"
#include "core/file.h"
#include "core/text.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const size_t log_limit = (size_t)1 << 32;

static int refuse(const struct ssk_metrics_log *log, ssk_err *err) {
  return ssk_err_set(err, SSK_EIO, "cannot write '%s': %s", log->path, strerror(errno));
}

/* ---- opening -------------------------------------------------------------------------------- */

/* The "step" of a line; -1 when it is not one of ours. *seconds: the training's until then, where
 * the line says so. */
static int64_t step_of(const char *line, size_t size, double *seconds) {
  json_t *object = json_loadb(line, size, 0, NULL);
  const json_t *step = json_object_get(object, "step");
  const json_t *time = json_object_get(object, "time_seconds");
  *seconds = json_is_number(time) ? json_number_value(time) : *seconds;
  const int64_t value = json_is_integer(step) ? json_integer_value(step) : -1;
  json_decref(object);
  return value;
}

/* Bytes up to the end of the last whole line of `step` or before; *seconds: of training until then.
 */
static size_t kept_size(const char *text, size_t size, int64_t step, double *seconds) {
  size_t at = 0;
  *seconds = 0;
  while (at < size) {
    const char *end = memchr(text + at, '\n', size - at);
    if (!end)
      break;
    double time = *seconds;
    const int64_t found = step_of(text + at, (size_t)(end - text) - at, &time);
    if (found < 0 || found > step)
      break;
    *seconds = time;
    at = (size_t)(end - text) + 1;
  }
  return at;
}

int ssk_metrics_open(struct ssk_metrics_log *log, const char *path, int64_t step, bool path_loss,
                     ssk_err *err) {
  *log = (struct ssk_metrics_log){
      .fd = -1, .path = path, .path_loss = path_loss, .started = ssk_clock()};
  size_t keep = 0;
  if (ssk_file_exists(path)) {
    char *text;
    size_t size;
    int code = ssk_file_read(path, log_limit, &text, &size, err);
    if (code)
      return code;
    double before;
    keep = kept_size(text, size, step, &before);
    log->started -= before;
    free(text);
  }
  log->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (log->fd < 0 || ftruncate(log->fd, (off_t)keep))
    return refuse(log, err);
  return SSK_OK;
}

void ssk_metrics_close(struct ssk_metrics_log *log) {
  if (log->fd >= 0)
    close(log->fd);
  log->fd = -1;
}

int ssk_metrics_sync(struct ssk_metrics_log *log, ssk_err *err) {
  return fdatasync(log->fd) && errno != EINVAL && errno != ENOTSUP ? refuse(log, err) : SSK_OK;
}

/* ---- writing -------------------------------------------------------------------------------- */

int ssk_metrics_write(struct ssk_metrics_log *log, const char *lines, size_t size, ssk_err *err) {
  for (size_t done = 0; done < size;) {
    const ssize_t put = write(log->fd, lines + done, size - done);
    if (put < 0 && errno != EINTR)
      return refuse(log, err);
    done += put > 0 ? (size_t)put : 0;
  }
  return SSK_OK;
}

struct line {
  char text[2048];
  size_t n;
};

static void add_text(struct line *line, const char *key, const char *value) {
  line->n += (size_t)snprintf(line->text + line->n, sizeof line->text - line->n, "%s\"%s\":%s",
                              line->n ? "," : "{", key, value);
}

static void add_count(struct line *line, const char *key, int64_t value) {
  char text[32];
  snprintf(text, sizeof text, "%" PRId64, value);
  add_text(line, key, text);
}

/* JSON has no NaN and no infinity: null. */
static void add_real(struct line *line, const char *key, double value) {
  char text[32];
  add_text(line, key, isfinite(value) ? ssk_text_double(text, value) : "null");
}

/* The sum of the parts, under its name and this ending. */
static void add_sum(struct line *line, const struct ssk_metrics_log *log, const char *ending,
                    double value) {
  char key[32];
  snprintf(key, sizeof key, "%s%s", ssk_measure_name(log->path_loss), ending);
  add_real(line, key, value);
}

static int finish(struct line *line, struct ssk_metrics_log *log, ssk_err *err) {
  char seconds[32];
  snprintf(seconds, sizeof seconds, "%.3f", ssk_clock() - log->started);
  add_text(line, "time_seconds", seconds);
  line->n += (size_t)snprintf(line->text + line->n, sizeof line->text - line->n, "}\n");
  return ssk_metrics_write(log, line->text, line->n, err);
}

int ssk_metrics_step(struct ssk_metrics_log *log, const struct ssk_step_record *record,
                     const struct ssk_counters *counters, ssk_err *err) {
  const double sum = record->distortion + record->initial + record->transition;
  struct line line = {.n = 0};
  add_text(&line, "kind", "\"train\"");
  add_count(&line, "step", record->step);
  add_real(&line, "loss", record->loss);
  add_real(&line, "lambda", record->lambda);
  add_sum(&line, log, "", sum);
  add_real(&line, "distortion", record->distortion);
  add_real(&line, "rate_initial", record->initial);
  add_real(&line, "rate_transition", record->transition);
  add_sum(&line, log, "_per_step", sum / record->steps);
  add_real(&line, "distortion_per_step", record->distortion / record->steps);
  add_real(&line, "rate_initial_per_step", record->initial / record->steps);
  add_real(&line, "rate_transition_per_step", record->transition / record->steps);
  add_real(&line, "rate_factor", record->rate_factor);
  const double *part = record->gradient.part;
  add_real(&line, "gradient_norm", record->gradient.total);
  add_real(&line, "gradient_norm_encoder", hypot(part[SSK_PART_SUMMARY], part[SSK_PART_ENCODER]));
  add_real(&line, "gradient_norm_emission", part[SSK_PART_EMISSION]);
  add_real(&line, "gradient_norm_initial", part[SSK_PART_INITIAL]);
  add_real(&line, "gradient_norm_transition", part[SSK_PART_TRANSITION]);
  add_count(&line, "skipped", counters->skipped);
  return finish(&line, log, err);
}

int ssk_metrics_validation(struct ssk_metrics_log *log, const struct ssk_counters *counters,
                           bool best, ssk_err *err) {
  const struct ssk_bound_summary *v = &counters->validation;
  struct line line = {.n = 0};
  add_text(&line, "kind", "\"validation\"");
  add_count(&line, "step", counters->validated_step);
  add_count(&line, "series", v->series);
  add_sum(&line, log, "", v->total);
  add_sum(&line, log, "_se", v->se);
  add_real(&line, "distortion", v->distortion);
  add_real(&line, "rate_initial", v->initial);
  add_real(&line, "rate_transition", v->transition);
  add_sum(&line, log, "_per_step", v->total / v->steps);
  add_real(&line, "distortion_per_step", v->distortion / v->steps);
  add_real(&line, "rate_initial_per_step", v->initial / v->steps);
  add_real(&line, "rate_transition_per_step", v->transition / v->steps);
  add_text(&line, "best", best ? "true" : "false");
  return finish(&line, log, err);
}
