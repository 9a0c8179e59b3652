/* SPDX-License-Identifier: GPL-3.0-or-later */
/* model_transition.h - the transition of a trained model alone, without encoder and emission. */
#ifndef SSK_INFER_MODEL_TRANSITION_H
#define SSK_INFER_MODEL_TRANSITION_H

#include "infer/forecaster.h"
#include "model/model.h"

/* Draw the latent after the first `context` steps of a series from the transition given the j
 * latents before it, and take the density of the one that followed; `context` is at least j. The
 * latents are the true ones, in their own units, where the encoder takes these; else one path of
 * the encoder through the first context + 1 steps. What is drawn depends on seed, split and series
 * alone. */
int ssk_model_transition(struct ssk_pass *pass, const struct ssk_data *data, enum ssk_split split,
                         int64_t series, int context, int draws, uint64_t seed,
                         struct ssk_series_transition *out, ssk_err *err);

#endif
