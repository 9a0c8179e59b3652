/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mlp.c - network of a conditional Gaussian: a head on all conditions side by side.
 *
 * The order is [past latents, padding flags, what else depends on the path | covariates, time, what
 * is known of the step]. What stands behind the bar does not depend on the path: in a recursion its
 * products with the first layer and with the linear path are made ahead, for all steps at once, and
 * the recursion only adds those of the part before it. */
#include "beside.h"

struct mlp {
  int64_t hidden, layers;
  /* not parameters: */
  int flags;                     /* padding flags among the inputs */
  struct ssk_head mean;          /* where only the mean is asked for */
  struct ssk_gaussian_head both; /* elsewhere */
};

static int build(void *self, ssk_builder *b, const char *name,
                 const struct ssk_network_shape *shape, const struct ssk_variance *variance) {
  struct mlp *m = self;
  m->flags = shape->pad ? shape->slots : 0;
  int in =
      shape->slots * shape->width + m->flags + shape->now + shape->u + shape->time + shape->known;
  int hidden = (int)m->hidden, layers = (int)m->layers;
  if (variance)
    m->both = ssk_gaussian_head_build(b, name, in, hidden, layers, shape->outputs, variance);
  else
    m->mean = ssk_head_build(b, name, in, hidden, layers, shape->outputs, true);
  return ssk_build_code(b);
}

static ssk_tensor *prepare(const void *self, const struct ssk_ctx *ctx,
                           const struct ssk_network_in *in) {
  const struct mlp *m = self;
  ssk_tensor *ahead = beside(ctx->tape, 3, (ssk_tensor *[]){in->rows.u, in->rows.time, in->known});
  return m->mean.out.W ? ahead : ssk_gaussian_head_prepare(ctx, &m->both, ahead);
}

static struct ssk_gaussian run(const void *self, const struct ssk_ctx *ctx,
                               const struct ssk_network_in *in,
                               const struct ssk_variance *variance) {
  const struct mlp *m = self;
  const struct ssk_rows *rows = &in->rows;
  ssk_tensor *pad = m->flags ? rows->pad : NULL;
  if (m->flags && !pad)
    pad = ssk_full(ctx->tape, SSK_SHAPE(rows->n, m->flags), 0);
  ssk_tensor *parts[] = {rows->past, pad, in->now, rows->u, rows->time, in->known};
  if (in->prepared && variance)
    return ssk_gaussian_head_finish(ctx, &m->both, variance, beside(ctx->tape, 3, parts),
                                    in->prepared);
  if (in->prepared)
    parts[5] = in->prepared;
  ssk_tensor *x = beside(ctx->tape, 6, parts);
  if (variance)
    return ssk_gaussian_head_run(ctx, &m->both, variance, x);
  return (struct ssk_gaussian){.mean = ssk_head_run(ctx, &m->mean, x)};
}

static const struct ssk_param params[] = {
    SSK_PARAM_INT(struct mlp, hidden, "64", 1, 4096, "units", "Width of the hidden layers."),
    SSK_PARAM_INT(struct mlp, layers, "2", 0, 8, NULL,
                  "Hidden layers; 0 leaves the linear path: moments linear in the conditions."),
    SSK_PARAM_END};

static const struct ssk_network_ops ops = {
    .size = sizeof ops, .build = build, .prepare = prepare, .run = run};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_NETWORK,
    .name = "mlp",
    .summary = "SiLU layers beside a linear path; starts as zero",
    .doc = "All conditions side by side, c = [past latents, padding flags, covariates, time\n"
           "features, summary and observation], go through `layers` hidden SiLU layers to a\n"
           "zero-initialised output, beside a zero-initialised linear path from c to the output:\n"
           "    [mean, raw] = W silu(...) + V c + b.\n"
           "So it starts as the zero function, and what is linear in c is learned at once.\n"
           "\n"
           "Source: Goyal et al. 2017 (zero-initialised residual outputs).",
    .self_size = sizeof(struct mlp),
    .params = params,
    .ops = &ops,
};

SSK_PLUGIN(&component)
