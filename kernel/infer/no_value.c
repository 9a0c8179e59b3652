/* SPDX-License-Identifier: GPL-3.0-or-later */
/* no_value.c - what the forecaster cannot do, then what the data lack, then what the case does not
 * tell: the first of these. */
#include "infer/no_value.h"
#include <math.h>

const char *ssk_no_value(const struct ssk_forecaster *f, const struct ssk_data *data,
                         unsigned needs, const struct ssk_case *c) {
  const struct ssk_smoothing *s = (needs & SSK_NEEDS_POSTERIOR) ? c->smoothing : NULL;
  const struct {
    bool holds;
    const char *text;
  } reasons[] = {
      {(needs & SSK_NEEDS_SAMPLES) && !f->forecast, "no forecasts"},
      {(needs & SSK_NEEDS_BOUND) && !f->bound, "no bound"},
      {(needs & SSK_NEEDS_LIKELIHOOD) && !f->likelihood, "no likelihood"},
      {(needs & SSK_NEEDS_TRANSITION) && !f->transition, "no transition of latents"},
      {(needs & SSK_NEEDS_POSTERIOR) && !f->posterior, "no smoothing"},
      {(needs & SSK_NEEDS_ORACLE) && !data->oracle, "the data have no oracle"},
      {(needs & (SSK_NEEDS_SAMPLES | SSK_NEEDS_TRANSITION)) && !c->context,
       "the series are too short"},
      {(needs & SSK_NEEDS_ORACLE) && !c->oracle, "the data have no true latents"},
      {(needs & SSK_NEEDS_TRANSITION) && (needs & SSK_NEEDS_ORACLE) && !c->kernel,
       "the latents are not those of the data"},
      {needs == SSK_NEEDS_TRANSITION && isnan(c->transition_log_prob),
       "the transition has no density"},
      {(needs & SSK_NEEDS_LIKELIHOOD) && isnan(c->effective_paths),
       "the likelihood is not importance-weighted"},
      {s && !s->hidden && s->signal, "no entry is held out"},
      {s && s->hidden && !s->signal, "the series without noise is not known"},
      {s && !s->hidden && !s->signal,
       "no entry is held out, the series without noise is not known"},
  };
  for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
    if (reasons[i].holds)
      return reasons[i].text;
  return "not defined on these series";
}
