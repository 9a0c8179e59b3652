/* SPDX-License-Identifier: GPL-3.0-or-later */
/* progress.c - the progress line of a training. */
#include "report/progress.h"

#include "core/clock.h"
#include "report/health_text.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const double redraw_seconds = 0.1;

void ssk_progress_start(struct ssk_progress *progress, FILE *stream, const char *label,
                        int64_t first, int64_t last, bool path_loss) {
  *progress = (struct ssk_progress){.stream = stream,
                                    .live = stream && isatty(fileno(stream)),
                                    .label = label,
                                    .path_loss = path_loss,
                                    .first = first,
                                    .last = last,
                                    .started = ssk_clock()};
  if (progress->live && label)
    fprintf(stream, "%s\n", label);
}

/* "1:02:03", "2:03", "3 s" */
static void print_duration(char *text, size_t n, double seconds) {
  const long s = lround(fmin(seconds, 1e8));
  if (s >= 3600)
    snprintf(text, n, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
  else if (s >= 60)
    snprintf(text, n, "%ld:%02ld", s / 60, s % 60);
  else
    snprintf(text, n, "%ld s", s);
}

static void show(struct ssk_progress *progress, const char *line, bool keep) {
  if (!progress->live) {
    const char *label = progress->label;
    fprintf(progress->stream, "%s%s%s\n", label ? label : "", label ? ": " : "", line);
  } else {
    struct winsize window;
    int width = ioctl(fileno(progress->stream), TIOCGWINSZ, &window) == 0 ? window.ws_col : 0;
    if (width < 20)
      width = 80;
    /* A line that was wrapped could not be drawn over; one that stays may be as long as it is. */
    const int most = keep ? (int)strlen(line) : width - 1;
    fprintf(progress->stream, "\r\033[K%.*s%s", most, line, keep ? "\n" : "");
    progress->dirty = !keep;
  }
  fflush(progress->stream);
}

void ssk_progress_step(struct ssk_progress *progress, const struct ssk_step_record *record,
                       bool due) {
  if (!progress->stream || (!progress->live && !due))
    return;
  const double now = ssk_clock();
  if (progress->live && now - progress->drawn < redraw_seconds && record->step != progress->last)
    return;
  progress->drawn = now;
  const double done = (double)(record->step - progress->first);
  const double rate = done / fmax(now - progress->started, 1e-9);
  char left[32], line[256];
  print_duration(left, sizeof left, (double)(progress->last - record->step) / rate);
  int n = snprintf(line, sizeof line,
                   "step %" PRId64 "/%" PRId64 "  %.3g/s  %s left  %s %.4g = %.4g + %.4g + %.4g"
                   "  (%.4g a step)",
                   record->step, progress->last, rate, left, ssk_measure_name(progress->path_loss),
                   record->distortion + record->initial + record->transition, record->distortion,
                   record->initial, record->transition,
                   (record->distortion + record->initial + record->transition) / record->steps);
  if (isfinite(record->lambda))
    n += snprintf(line + n, sizeof line - (size_t)n, "  lambda %.3g", record->lambda);
  if (record->skipped)
    snprintf(line + n, sizeof line - (size_t)n, "  skipped: not finite");
  show(progress, line, false);
}

void ssk_progress_validation(struct ssk_progress *progress, const struct ssk_counters *counters,
                             bool best) {
  if (!progress->stream)
    return;
  const struct ssk_bound_summary *v = &counters->validation;
  char line[256];
  snprintf(line, sizeof line,
           "step %" PRId64 "  validation %s %.5g +- %.2g = %.4g + %.4g + %.4g  (%.4g a step)%s",
           counters->validated_step, ssk_measure_name(progress->path_loss), v->total, v->se,
           v->distortion, v->initial, v->transition, v->total / v->steps, best ? "  best" : "");
  show(progress, line, true);
}

void ssk_progress_health(struct ssk_progress *progress, int64_t step,
                         const struct ssk_health *health) {
  static const enum ssk_health_alarm alarms[] = {SSK_ALARM_POSTERIOR, SSK_ALARM_MODES};
  const unsigned lasting = health->alarms & (step == progress->last ? ~0u : progress->standing);
  progress->standing = health->alarms;
  for (size_t i = 0; progress->stream && i < sizeof alarms / sizeof alarms[0]; i++) {
    if (!(lasting & ~progress->told & alarms[i]))
      continue;
    progress->told |= alarms[i];
    struct ssk_text line = {0};
    ssk_text_printf(&line, "step %" PRId64 "  warning: ", step);
    ssk_health_warning(health, alarms[i], &line);
    if (!line.failed)
      show(progress, line.data, true);
    ssk_text_free(&line);
  }
}

void ssk_progress_end(struct ssk_progress *progress) {
  if (progress->stream && progress->dirty)
    fputc('\n', progress->stream);
  progress->dirty = false;
}
