/* SPDX-License-Identifier: GPL-3.0-or-later */
/* jsd_paper.c - the divergence as the DDSSM paper reports it on its bimodal series.
 *
 * The reference is (N(-jump, spread^2) + N(jump, spread^2)) / 2 of x_t - decay x_{t-1}: centred on
 * the last observation, not on the latent. The last observation's noise is not in it, so its
 * optimum is not the best forecast: the oracle scores 0.084. For comparison with the paper only. */
#include "histogram.h"

struct jsd_paper {
  struct histogram histogram;
  double decay, jump, spread;
};

static const struct ssk_param jsd_paper_params[] = {
    {.name = "bins",
     .type = SSK_T_INT,
     .offset = offsetof(struct jsd_paper, histogram.bins),
     .default_text = "300",
     .min = 2,
     .max = HISTOGRAM_MAX_BINS,
     .unit = "bins",
     .doc = "Bins of the histogram."},
    {.name = "range",
     .type = SSK_T_REAL,
     .offset = offsetof(struct jsd_paper, histogram.range),
     .default_text = "10",
     .min = 1e-6,
     .max = 1e6,
     .unit = "data",
     .doc = "The bins divide [-range, range]; the outermost two reach to infinity."},
    SSK_PARAM_REAL(struct jsd_paper, decay, "0.9", -10, 10, "1",
                   "The forecast is taken relative to decay times the last observation."),
    SSK_PARAM_REAL(struct jsd_paper, jump, "4", 0, 1e6, "data", "Half the distance of the modes."),
    SSK_PARAM_REAL(struct jsd_paper, spread, "0.2", 1e-6, 1e6, "data",
                   "Standard deviation of a mode."),
    SSK_PARAM_END,
};

static double jsd_paper_cdf(const void *state, double edge) {
  const struct jsd_paper *m = state;
  double unit = m->spread * M_SQRT2;
  return 0.25 * (erfc(-(edge - m->jump) / unit) + erfc(-(edge + m->jump) / unit));
}

static double jsd_paper_value(const void *self, const struct ssk_case *c) {
  const struct jsd_paper *m = self;
  if (c->context < 1 || c->horizon < 1 || c->lead) /* it is of the step behind the history */
    return NAN;
  double sum = 0;
  int n = 0;
  for (int k = 0; k < c->D; k++) {
    int last = (c->context - 1) * c->D + k;
    if (c->history_mask[last] == 0)
      continue;
    sum += histogram_jsd(&m->histogram, c->paths + k, c->samples, c->horizon * c->D,
                         m->decay * c->history[last], jsd_paper_cdf, m);
    n++;
  }
  return n ? sum / n : NAN;
}

static void jsd_paper_definition(const void *self, char *text, size_t n) {
  const struct jsd_paper *m = self;
  snprintf(text, n,
           "Jensen-Shannon divergence, nats, of the first step's sample histogram (%d bins on "
           "[-%g, %g], outermost open, floor %g) of x_t - %g x_{t-1} from the mixture "
           "(N(-%g, %g^2) + N(%g, %g^2))/2; mean over dimensions",
           (int)m->histogram.bins, m->histogram.range, m->histogram.range, HISTOGRAM_FLOOR,
           m->decay, m->jump, m->spread, m->jump, m->spread);
}

static const struct ssk_metric_ops jsd_paper_ops = {.size = sizeof(struct ssk_metric_ops),
                                                    .needs = SSK_NEEDS_SAMPLES,
                                                    .value = jsd_paper_value,
                                                    .definition = jsd_paper_definition,
                                                    .better = -1,
                                                    .unit = "nats"};

static const struct ssk_component jsd_paper_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_METRIC,
    .name = "jsd_paper",
    .summary = "divergence from the paper's two-mode reference about the last observation",
    .doc = "As jsd, but against (N(-jump, spread^2) + N(jump, spread^2))/2 of x_t - decay x_{t-1}. "
           "Its optimum is not the best forecast: the exact predictive of `bimodal` scores 0.084.",
    .self_size = sizeof(struct jsd_paper),
    .params = jsd_paper_params,
    .ops = &jsd_paper_ops,
};

SSK_PLUGIN(&jsd_paper_component)
