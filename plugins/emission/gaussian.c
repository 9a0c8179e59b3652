/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gaussian.c - Gaussian likelihood of the observations, with an annealed floor under its spread.
 *
 *     p(x_t | z_{t-j+1:t}, u_t) = N(mu, diag sigma^2),   mu = read(z_t) + g(z_{t-j+1:t}, u_t,
 * time_t)
 *
 * In the additive frame read(z_t) is z_t itself where d = D, so that the identity need not be
 * learned, and a trained linear map elsewhere; in the free frame there is no such path. g and, if
 * asked for, the variance are a network's. */
#include <math.h>
#include <sskit/plugin.h>

enum frame { FREE, ADDITIVE };
static const char *const frames[] = {"free", "additive", NULL};
enum variance { CONSTANT, NETWORK };
static const char *const variances[] = {"constant", "network", NULL};

struct emission {
  int frame;
  bool identity;
  int variance;
  struct ssk_variance limits;
  double floor_start, floor_end, floor_until;
  struct ssk_instance *network;
  ssk_weight read; /* [d, D]; 0: the identity, or nothing */
  ssk_weight raw;  /* [D] raw variance, constant */
};

static int build(void *self, ssk_builder *b, const struct ssk_dims *dims) {
  struct emission *e = self;
  struct ssk_network_shape shape = {.size = sizeof shape,
                                    .slots = dims->j,
                                    .width = dims->d,
                                    .pad = dims->j > 1, /* the newest latent is never padding */
                                    .u = dims->V,
                                    .time = dims->F,
                                    .outputs = dims->D};
  if (e->frame == ADDITIVE && (!e->identity || dims->d != dims->D))
    e->read = ssk_declare(b, "read", SSK_SHAPE(dims->d, dims->D), SSK_INIT_XAVIER, 1, SSK_DECAY);
  ssk_network_build(e->network, b, "head", &shape, e->variance == NETWORK ? &e->limits : NULL);
  if (e->variance == CONSTANT)
    e->raw = ssk_declare(b, "raw", SSK_SHAPE(dims->D), SSK_INIT_CONSTANT,
                         ssk_variance_raw(&e->limits), SSK_NO_DECAY);
  return ssk_build_code(b);
}

/* The floor under the standard deviation at this point of the training: geometric in time. */
static double floor_now(const struct emission *e, double progress) {
  if (e->floor_start <= 0)
    return 0;
  double part = fmin(progress / e->floor_until, 1);
  return e->floor_start * pow(e->floor_end / e->floor_start, part);
}

static struct ssk_gaussian moments(const struct emission *e, const struct ssk_ctx *ctx,
                                   const struct ssk_rows *rows) {
  ssk_tape *tape = ctx->tape;
  int j = ctx->dims->j, d = ctx->dims->d, D = ctx->dims->D;

  /* The floor takes the place of var_min: sigma^2 = softplus(raw) + floor^2 keeps a gradient below
   * it, which a hard maximum would not. */
  struct ssk_variance limits = e->limits;
  double floor = floor_now(e, ctx->progress);
  limits.var_min = fmax(limits.var_min, floor * floor);

  struct ssk_network_in in = {.size = sizeof in, .rows = *rows};
  struct ssk_gaussian p =
      ssk_network_run(e->network, ctx, &in, e->variance == NETWORK ? &limits : NULL);
  if (e->variance == CONSTANT) {
    ssk_tensor *logvar = ssk_variance_log(tape, ssk_use(ctx, e->raw), &limits);
    p.logvar = ssk_add(tape, ssk_full(tape, SSK_SHAPE(rows->n, D), 0), logvar);
  }
  if (e->frame == FREE)
    return p;
  ssk_tensor *z = j > 1 ? ssk_cols(tape, rows->past, (j - 1) * d, d) : rows->past;
  if (e->read)
    z = ssk_linear(tape, z, ssk_use(ctx, e->read), NULL, SSK_LINEAR);
  p.mean = ssk_add(tape, p.mean, z);
  return p;
}

static ssk_tensor *log_prob(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *in,
                            ssk_tensor *x, ssk_tensor *mask) {
  return ssk_gaussian_log_prob(ctx->tape, x, moments(self, ctx, in), mask);
}

static ssk_tensor *sample(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *in) {
  ssk_tensor *eps = ssk_ctx_normal(ctx, "sample", in->index, SSK_SHAPE(in->n, ctx->dims->D));
  return ssk_reparam(ctx->tape, moments(self, ctx, in), eps);
}

static ssk_tensor *mean(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *in) {
  return moments(self, ctx, in).mean;
}

static int init(void *self, ssk_err *err) {
  const struct emission *e = self;
  if (e->floor_start > 0 && e->floor_end > e->floor_start)
    return ssk_err_set(err, SSK_ERECIPE, "floor_end (%g) must not exceed floor_start (%g)",
                       e->floor_end, e->floor_start);
  return ssk_variance_check(&e->limits, err);
}

static const struct ssk_param params[] = {
    SSK_PARAM_ENUM(struct emission, frame, "additive", frames,
                   "free: mu = g; additive: mu = z_t + g, or C z_t + g (see identity)."),
    SSK_PARAM_BOOL(struct emission, identity, "true",
                   "In the additive frame: mu = z_t + g where d = D; else, and with false, "
                   "mu = C z_t + g with a trained C."),
    SSK_PARAM_ENUM(struct emission, variance, "constant", variances,
                   "constant: one learned variance a dimension; network: the network gives it."),
    SSK_PARAM_COMPONENT(struct emission, network, SSK_NETWORK, "mlp",
                        "From the conditions to g and, where it is a network's, the variance. An "
                        "mlp without layers makes a linear Gaussian emission."),
    SSK_PARAM_VARIANCE(struct emission, limits, "-1.4"),
    SSK_PARAM_REAL(struct emission, floor_start, "0", 0, 100, "data",
                   "Floor under the standard deviation at the start of the training, in units of "
                   "the data as the model sees them (standardised); 0: no floor."),
    SSK_PARAM_REAL(struct emission, floor_end, "0.005", 1e-6, 100, "data",
                   "The floor at the end of its annealing, and in evaluation."),
    SSK_PARAM_REAL(struct emission, floor_until, "0.6", 1e-6, 1, NULL,
                   "Fraction of the training over which the floor falls, geometrically."),
    SSK_PARAM_END};

static const struct ssk_emission_ops ops = {
    .size = sizeof ops, .build = build, .log_prob = log_prob, .sample = sample, .mean = mean};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_EMISSION,
    .name = "gaussian",
    .summary = "Gaussian observations, constant or predicted variance, annealed floor",
    .doc =
        "p(x_t | z_{t-j+1:t}) = N(mu, diag sigma^2) over the observed entries, with\n"
        "    mu = z_t + g(z_{t-j+1:t}, u_t, time_t)     where d = D and identity is true,\n"
        "    mu = C z_t + g(...)                        elsewhere in the additive frame,\n"
        "    mu = g(...)                                in the free frame,\n"
        "    log sigma^2 = clamp(log(softplus(raw) + max(var_min, f^2)), logvar_min, logvar_max)\n"
        "and raw a constant of each dimension, or an output of the network that gives g.\n"
        "\n"
        "The floor f falls from floor_start to floor_end, geometrically, over the fraction\n"
        "floor_until of the training. Coming from above, the emission first explains coarse\n"
        "structure by the latent, and the latent learns to filter; with a free variance it can\n"
        "slide to zero, where the latent is a copy of the observation.\n"
        "\n"
        "Source: Kingma and Welling 2014, appendix C.2 (Gaussian decoder).",
    .self_size = sizeof(struct emission),
    .params = params,
    .ops = &ops,
    .init = init,
};

SSK_PLUGIN(&component)
