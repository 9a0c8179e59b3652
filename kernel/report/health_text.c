/* SPDX-License-Identifier: GPL-3.0-or-later */
/* health_text.c - the figures of a health as text. */
#include "report/health_text.h"

#include "core/clock.h"
#include <inttypes.h>
#include <math.h>

static const enum ssk_health_alarm alarms[] = {SSK_ALARM_POSTERIOR, SSK_ALARM_MODES};
enum { N_ALARMS = sizeof alarms / sizeof alarms[0] };

/* ---- for machines -----------------------------------------------------------------------------
 */

/* JSON has no NaN and no infinity: null. */
static const char *number(char text[32], double value) {
  return isfinite(value) ? ssk_text_double(text, value) : "null";
}

void ssk_health_json(const struct ssk_health *health, struct ssk_text *out) {
  char text[32];
  ssk_text_printf(out, "\"series\":%" PRId64 ",\"conditionings\":%d,\"samples\":%d", health->series,
                  health->conditionings, health->samples);
  ssk_text_printf(out, ",\"active_units\":%s",
                  number(text, health->active_units < 0 ? NAN : health->active_units));
  for (int row = 0; row < SSK_HEALTH_ROWS; row++) {
    ssk_text_printf(out, ",\"%s\":[", ssk_health_row_name((enum ssk_health_row)row));
    for (int k = 0; k < health->d; k++)
      ssk_text_printf(out, "%s%s", k ? "," : "", number(text, health->row[row][k]));
    ssk_text_add(out, "]");
  }
  for (int i = 0; i < health->n_figures; i++)
    ssk_text_printf(out, ",\"transition_%s\":%s", health->figures[i].name,
                    number(text, health->figures[i].value));
  ssk_text_add(out, ",\"alarms\":[");
  const char *separator = "";
  for (int i = 0; i < N_ALARMS; i++)
    if (health->alarms & alarms[i]) {
      ssk_text_printf(out, "%s\"%s\"", separator, ssk_health_alarm_name(alarms[i]));
      separator = ",";
    }
  ssk_text_add(out, "]");
}

int ssk_health_log(struct ssk_metrics_log *log, int64_t step, const struct ssk_health *health,
                   ssk_err *err) {
  struct ssk_text line = {0};
  ssk_text_printf(&line, "{\"kind\":\"health\",\"step\":%" PRId64 ",", step);
  ssk_health_json(health, &line);
  ssk_text_printf(&line, ",\"time_seconds\":%.3f}\n", ssk_clock() - log->started);
  int code = line.failed ? ssk_err_set(err, SSK_ENOMEM, "no memory to log the health")
                         : ssk_metrics_write(log, line.data, line.length, err);
  ssk_text_free(&line);
  return code;
}

/* ---- for people -------------------------------------------------------------------------------
 */

void ssk_health_table(const struct ssk_health *health, struct ssk_text *out) {
  ssk_text_printf(out, "health of %d latents (%" PRId64 " series, %d conditionings, %d draws)\n",
                  health->d, health->series, health->conditionings, health->samples);
  ssk_text_add(out, "  latent");
  for (int row = 0; row < SSK_HEALTH_ROWS; row++)
    ssk_text_printf(out, " %18s", ssk_health_row_name((enum ssk_health_row)row));
  for (int k = 0; k < health->d; k++) {
    ssk_text_printf(out, "\n  %6d", k);
    for (int row = 0; row < SSK_HEALTH_ROWS; row++)
      ssk_text_printf(out, " %18.4g", health->row[row][k]);
  }
  ssk_text_add(out, "\n");
  if (health->active_units >= 0)
    ssk_text_printf(out, "  active units %d\n", health->active_units);
  for (int i = 0; i < health->n_figures; i++)
    ssk_text_printf(out, "  transition_%s %.4g\n", health->figures[i].name,
                    health->figures[i].value);
  for (int i = 0; i < N_ALARMS; i++)
    if (health->alarms & alarms[i]) {
      ssk_text_add(out, "  alarm: ");
      ssk_health_warning(health, alarms[i], out);
      ssk_text_add(out, "\n");
    }
}

/* The largest of the d figures; NaN where there is none. */
static double largest(const double *row, int d) {
  double most = NAN;
  for (int k = 0; k < d; k++)
    most = fmax(most, row[k]);
  return most;
}

void ssk_health_warning(const struct ssk_health *health, enum ssk_health_alarm alarm,
                        struct ssk_text *out) {
  if (alarm == SSK_ALARM_MODES) {
    const int k = health->missing;
    ssk_text_printf(
        out,
        "the transition lacks modes: the encoder's steps of latent %d have several (dip "
        "%.2g), its draws one (several at %.0f %% of the conditionings)",
        k, health->row[SSK_HEALTH_INNOVATION_DIP][k], 100 * health->row[SSK_HEALTH_BIMODAL][k]);
    return;
  }
  ssk_text_add(out,
               "the posterior has collapsed: the latents carry next to nothing of the series (");
  if (health->active_units >= 0)
    ssk_text_printf(out, "%d of %d units are active, ", health->active_units, health->d);
  ssk_text_printf(out, "the largest KL is %.2g nats)",
                  largest(health->row[SSK_HEALTH_KL], health->d));
}
