/* SPDX-License-Identifier: GPL-3.0-or-later */
/* health_parts.h - inside of ssk_health_measure: what the encoder does, then what the transition
 * does at the same latents. */
#ifndef SSK_MODEL_HEALTH_PARTS_H
#define SSK_MODEL_HEALTH_PARTS_H

#include "model/health.h"

/* Who is looked at. */
struct ssk_health_subject {
  const struct ssk_model *model;
  const struct ssk_data *data;
  ssk_real *values;
  enum ssk_split split;
  struct ssk_pool *pool;
};

/* Conditionings: n steps of the encoder's paths. */
struct ssk_places {
  int n;
  int64_t *series;             /* [n] ascending */
  int *step;                   /* [n] 0-based, from j on */
  ssk_real *past, *state;      /* [n, j*d], [n, W] */
  ssk_real *u, *time;          /* [n, V], [n, F] */
  ssk_real *z, *mean, *logvar; /* [n, d] the encoder's sample and moments at the step */
  ssk_real *memory;
};
void ssk_places_free(struct ssk_places *places);

/* Run the encoder: fills the places and the rows that are about it. */
int ssk_health_paths(const struct ssk_health_subject *subject, struct ssk_places *places,
                     struct ssk_health *health, ssk_err *err);
/* Draw from the transition at the places: fills the other rows and the figures. */
int ssk_health_modes(const struct ssk_health_subject *subject, const struct ssk_places *places,
                     struct ssk_health *health, ssk_err *err);

#endif
