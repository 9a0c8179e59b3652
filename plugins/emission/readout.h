/* SPDX-License-Identifier: GPL-3.0-or-later */
/* readout.h - what the emissions share: from the latent, a path of its own and a network to the
 * location of the observation (or its logit, or its log rate). An emission's struct begins with a
 * struct readout, or with one that does. */
#ifndef EMISSION_READOUT_H
#define EMISSION_READOUT_H

#include <sskit/plugin.h>

enum readout_frame { READOUT_FREE, READOUT_ADDITIVE };

struct readout {
  int frame;
  bool identity, state;
  struct ssk_instance *network;
  ssk_weight read; /* [d, D]; 0: the identity, or nothing */
};

static const char *const readout_frames[] = {"free", "additive", NULL};

/* The rows of its parameters; mu stands for the location. */
#define READOUT_PARAMS                                                                             \
  SSK_PARAM_ENUM(struct readout, frame, "additive", readout_frames,                                \
                 "free: mu = g; additive: mu = z_t + g, or C z_t + g (see identity)."),            \
      SSK_PARAM_BOOL(struct readout, identity, "true",                                             \
                     "In the additive frame: mu = z_t + g where d = D; else, and with false, "     \
                     "mu = C z_t + g with a trained C."),                                          \
      SSK_PARAM_BOOL(struct readout, state, "false",                                               \
                     "Give the network the state of a transition that has one, as it was before "  \
                     "z_t."),                                                                      \
      SSK_PARAM_COMPONENT(struct readout, network, SSK_NETWORK, "mlp",                             \
                          "From the conditions to g and, where it is a network's, the variance. "  \
                          "An mlp without layers makes mu linear in the conditions.")

/* `variance`: the network gives a log variance, too; or NULL. */
static inline void readout_build(struct readout *r, ssk_builder *b, const struct ssk_dims *dims,
                                 const struct ssk_variance *variance) {
  struct ssk_network_shape shape = {.size = sizeof shape,
                                    .slots = dims->j,
                                    .width = dims->d,
                                    .pad = dims->j > 1, /* the newest latent is never padding */
                                    .now = r->state ? dims->W : 0,
                                    .u = dims->V,
                                    .time = dims->F,
                                    .outputs = dims->D};
  if (r->state && !dims->W)
    ssk_build_fail(b, SSK_ERECIPE, "state: true, but the transition has no state");
  if (r->frame == READOUT_ADDITIVE && (!r->identity || dims->d != dims->D))
    r->read = ssk_declare(b, "read", SSK_SHAPE(dims->d, dims->D), SSK_INIT_XAVIER, 1, SSK_DECAY);
  ssk_network_build(r->network, b, "head", &shape, variance);
}

/* The location [n, D] as a mean; the log variance as the network gives it. */
static inline struct ssk_gaussian readout_run(const struct readout *r, const struct ssk_ctx *ctx,
                                              const struct ssk_rows *rows,
                                              const struct ssk_variance *variance) {
  ssk_tape *tape = ctx->tape;
  int j = ctx->dims->j, d = ctx->dims->d;
  struct ssk_network_in in = {.size = sizeof in, .rows = *rows};
  in.now = r->state ? rows->state : NULL;
  struct ssk_gaussian p = ssk_network_run(r->network, ctx, &in, variance);
  if (r->frame == READOUT_FREE)
    return p;
  ssk_tensor *z = j > 1 ? ssk_cols(tape, rows->past, (j - 1) * d, d) : rows->past;
  if (r->read)
    z = ssk_linear(tape, z, ssk_use(ctx, r->read), NULL, SSK_LINEAR);
  p.mean = ssk_add(tape, p.mean, z);
  return p;
}

/* [n]: log densities [n, D] summed over the observed entries. */
static inline ssk_tensor *readout_observed(ssk_tape *tape, ssk_tensor *log_density,
                                           ssk_tensor *mask) {
  return ssk_sum(tape, ssk_mul(tape, log_density, mask), -1);
}

#endif
