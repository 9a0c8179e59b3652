/* SPDX-License-Identifier: GPL-3.0-or-later */
/* health.c - the figures together, and what they say. */
#include "model/health_parts.h"

#include "core/dip.h"
#include <math.h>
#include <stdlib.h>

/* Below that, in nats, a dimension carries nothing. */
static const double no_information = 0.01;
/* Burda et al.: a unit is active above that, with a prior of unit variance. */
static const double active = 0.01;
/* So large a share of the conditionings may look bimodal by chance. */
static const double few = 0.1;
/* An alarm must not come by chance, in one of many dimensions: a dip of 0.75/sqrt(n) has a
 * probability of about 1 in 1000 where that of the limit has 1 in 100. */
static const double beyond_doubt = 1.25;

const char *ssk_health_row_name(enum ssk_health_row row) {
  static const char *const names[SSK_HEALTH_ROWS] = {
      [SSK_HEALTH_KL] = "kl",
      [SSK_HEALTH_POSTERIOR_VARIANCE] = "posterior_variance",
      [SSK_HEALTH_LATENT_VARIANCE] = "latent_variance",
      [SSK_HEALTH_DIP] = "dip",
      [SSK_HEALTH_BIMODAL] = "bimodal",
      [SSK_HEALTH_INNOVATION_DIP] = "innovation_dip",
  };
  return names[row];
}

const char *ssk_health_alarm_name(enum ssk_health_alarm alarm) {
  return alarm == SSK_ALARM_POSTERIOR ? "posterior" : "modes";
}

int ssk_health_init(struct ssk_health *health, int d) {
  *health = (struct ssk_health){.d = d, .active_units = -1};
  const size_t n = SSK_HEALTH_ROWS * (size_t)d;
  health->memory = malloc((n + 1) * sizeof *health->memory);
  if (!health->memory)
    return SSK_ENOMEM;
  for (size_t i = 0; i < n; i++)
    health->memory[i] = NAN;
  for (int row = 0; row < SSK_HEALTH_ROWS; row++)
    health->row[row] = health->memory + (size_t)row * (size_t)d;
  return SSK_OK;
}

void ssk_health_free(struct ssk_health *health) {
  free(health->memory);
  *health = (struct ssk_health){0};
}

/* ---- what the figures say ---------------------------------------------------------------------
 */

static int count_active(const struct ssk_health *h) {
  int n = 0;
  for (int k = 0; k < h->d; k++) {
    const double variance = h->row[SSK_HEALTH_POSTERIOR_VARIANCE][k];
    if (isnan(variance))
      return -1;
    n += variance > active * fmin(1, h->row[SSK_HEALTH_LATENT_VARIANCE][k]);
  }
  return n;
}

static bool is_uninformed(const struct ssk_health *h) {
  for (int k = 0; k < h->d; k++)
    if (!(h->row[SSK_HEALTH_KL][k] < no_information)) /* a KL that is not a number says nothing */
      return false;
  return h->conditionings > 0;
}

/* The dimension with the largest dip among those whose modes the transition lacks; -1: none. */
static int lacks_modes(const struct ssk_health *h) {
  const double *dip = h->row[SSK_HEALTH_INNOVATION_DIP], *share = h->row[SSK_HEALTH_BIMODAL];
  const double limit = beyond_doubt * ssk_dip_limit(h->conditionings);
  int found = -1;
  for (int k = 0; k < h->d; k++)
    if (dip[k] > limit && share[k] < few && (found < 0 || dip[k] > dip[found]))
      found = k;
  return found;
}

void ssk_health_judge(struct ssk_health *health) {
  health->active_units = count_active(health);
  health->missing = health->conditionings > 0 ? lacks_modes(health) : -1;
  health->alarms = 0;
  if (health->active_units == 0 || is_uninformed(health))
    health->alarms |= SSK_ALARM_POSTERIOR;
  if (health->missing >= 0)
    health->alarms |= SSK_ALARM_MODES;
}

int ssk_health_measure(const struct ssk_model *model, const struct ssk_data *data, ssk_real *values,
                       enum ssk_split split, struct ssk_pool *pool, struct ssk_health *out,
                       ssk_err *err) {
  const struct ssk_health_subject subject = {model, data, values, split, pool};
  struct ssk_places places = {0};
  int code = ssk_health_init(out, model->dims.d);
  if (code)
    return ssk_err_set(err, code, "no memory for the health of %d latents", model->dims.d);
  code = ssk_health_paths(&subject, &places, out, err);
  if (!code && !ssk_model_paths(model)) /* a prior of whole paths draws no single steps */
    code = ssk_health_modes(&subject, &places, out, err);
  if (!code)
    ssk_health_judge(out);
  ssk_places_free(&places);
  return code;
}
