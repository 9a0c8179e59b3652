/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fivo.c - the filtering variational bound: the S paths of a series are the particles of a filter,
 * whose estimate of the likelihood is made great.
 *
 *     loss = -log Z,   E[Z] = p(x)
 *
 * Sources: Maddison, Lawson, Tucker, Heess, Norouzi, Mnih, Doucet and Teh 2017, "Filtering
 * variational objectives", algorithm 1; Le, Igl, Rainforth, Jin and Wood 2018, "Auto-encoding
 * sequential Monte Carlo"; Naesseth, Linderman, Ranganath and Blei 2018, "Variational sequential
 * Monte Carlo". As all three recommend, the gradient leaves out the term of the choice of
 * ancestors. */
#include <sskit/plugin.h>

struct fivo {
  double resample_below;
};

static ssk_tensor *loss(const void *self, const struct ssk_ctx *ctx,
                        const struct ssk_bound *bound) {
  (void)self;
  return ssk_affine(ctx->tape, bound->log_likelihood, -1, 0);
}

static double resample_below(const void *self) {
  const struct fivo *f = self;
  return f->resample_below;
}

static const struct ssk_param params[] = {
    SSK_PARAM_REAL(struct fivo, resample_below, "0.5", 0, 1, NULL,
                   "Draw the particles of a series again where their effective number, 1/sum W^2, "
                   "is under this share of them; 0: never, which is the objective iwae."),
    SSK_PARAM_END};

static const struct ssk_objective_ops ops = {.size = sizeof ops,
                                             .loss = loss,
                                             .needs = SSK_NEEDS_PARTICLES,
                                             .resample_below = resample_below};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_OBJECTIVE,
    .name = "fivo",
    .summary = "filtering bound: the encoder proposes for a particle filter",
    .doc = "loss = -log Z in nats a series, with\n"
           "    log Z = sum_t log sum_s W_{t-1}^s w_t^s\n"
           "    w_t = p(x_t | z_t) p(z_t | z_{t-j:t-1}) / q(z_t | z_{t-j:t-1}, h_t),  z_t ~ q\n"
           "over the model.paths particles of each series, drawn again by systematic resampling\n"
           "where 1/sum_s W_s^2 < resample_below * model.paths. Z has the expectation p(x). The\n"
           "gradient goes through the particles by reparameterisation, not through the choice of\n"
           "ancestors. Initial prior and transition need densities that have a gradient.\n"
           "\n"
           "Sources: Maddison et al. 2017 (Filtering variational objectives); Le et al. 2018\n"
           "(Auto-encoding sequential Monte Carlo); Naesseth et al. 2018.",
    .self_size = sizeof(struct fivo),
    .params = params,
    .ops = &ops,
};

SSK_PLUGIN(&component)
