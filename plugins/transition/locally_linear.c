/* SPDX-License-Identifier: GPL-3.0-or-later */
/* locally_linear.c - a mixture of M linear maps, whose weights are a network's.
 *
 *     alpha = softmax(network(z_{t-j:t-1}, u_t, time_t))
 *     z_t = A(alpha) z_{t-j:t-1} + B(alpha) u_t + b(alpha) + C(alpha) w_t,   w_t ~ N(0, I)
 *     A(alpha) = sum_i alpha_i A_i, and the same for B, b and C
 *
 * Source: Karl, Soelch, Bayer and van der Smagt 2017, "Deep variational Bayes filters: unsupervised
 * learning of state space models from raw data", equations 10 and 11 (DVBF-LL). Here the posterior
 * is over z_t instead of w_t, and each C_i is lower triangular with a positive diagonal: so
 * C(alpha) is one, too, whatever the weights, and the density is exact.
 *
 * The maps must differ at the start, or gradients would keep them equal: they start from normals.
 */
#include "conditioning.h"
#include "triangular.h"

enum noise { DIAGONAL, FULL };
static const char *const noises[] = {"diagonal", "full", NULL};

struct locally_linear {
  int frame, noise;
  int64_t maps;
  double spread;
  struct ssk_variance variance;
  struct ssk_instance *network;
  ssk_weight A, B, b; /* [j d, M d], [V, M d], [M d]: all maps side by side, from the right */
  ssk_weight raw;     /* [M, d] raw variances: the squared diagonals of C_i */
  ssk_weight below;   /* [M, d(d-1)/2] what is under them, row by row; 0 where there is nothing */
};

static int build(void *self, ssk_builder *b, const struct ssk_dims *dims) {
  struct locally_linear *l = self;
  int d = dims->d, M = (int)l->maps, below = d * (d - 1) / 2;
  conditional_build(l->network, b, "weights", dims, M, NULL);
  l->A =
      ssk_declare(b, "A", SSK_SHAPE(dims->j * d, M * d), SSK_INIT_NORMAL, l->spread, SSK_NO_DECAY);
  l->B = dims->V ? ssk_declare(b, "B", SSK_SHAPE(dims->V, M * d), SSK_INIT_NORMAL, l->spread,
                               SSK_NO_DECAY)
                 : 0;
  l->b = ssk_declare(b, "b", SSK_SHAPE(M * d), SSK_INIT_ZERO, 0, SSK_NO_DECAY);
  l->raw = ssk_declare(b, "raw", SSK_SHAPE(M, d), SSK_INIT_CONSTANT, ssk_variance_raw(&l->variance),
                       SSK_NO_DECAY);
  l->below = l->noise == FULL && below
                 ? ssk_declare(b, "below", SSK_SHAPE(M, below), SSK_INIT_ZERO, 0, SSK_NO_DECAY)
                 : 0;
  return ssk_build_code(b);
}

/* ---- the map at each row --------------------------------------------------------------------- */

/* [d(d-1)/2, d*d] that puts the entries under the diagonal to their places. */
static ssk_tensor *places(ssk_tape *tape, int d) {
  ssk_tensor *out = ssk_full(tape, SSK_SHAPE(d * (d - 1) / 2, d * d), 0);
  for (int i = 1, k = 0; out->count && i < d; i++)
    for (int j = 0; j < i; j++, k++)
      out->data[k * d * d + i * d + j] = 1;
  return out;
}

static struct triangular map_at(const struct locally_linear *l, const struct ssk_ctx *ctx,
                                const struct ssk_rows *rows) {
  ssk_tape *tape = ctx->tape;
  const int n = rows->n, d = ctx->dims->d, M = (int)l->maps;
  ssk_tensor *logits = conditional_run(l->network, ctx, rows, NULL).mean;
  ssk_tensor *alpha = ssk_softmax(tape, logits);
  ssk_tensor *each =
      ssk_linear(tape, rows->past, ssk_use(ctx, l->A), ssk_use(ctx, l->b), SSK_LINEAR);
  if (rows->u)
    each = ssk_linear_add(tape, rows->u, ssk_use(ctx, l->B), NULL, each, SSK_LINEAR);
  each = ssk_bmm(tape, ssk_reshape(tape, alpha, SSK_SHAPE(n, 1, M)),
                 ssk_reshape(tape, each, SSK_SHAPE(n, M, d)));
  struct triangular map = {.mean = ssk_reshape(tape, each, SSK_SHAPE(n, d))};
  if (l->frame == ADDITIVE)
    map.mean = ssk_add(tape, map.mean, newest_latent(ctx, rows));
  ssk_tensor *logvar = ssk_variance_log(tape, ssk_use(ctx, l->raw), &l->variance);
  ssk_tensor *scale = ssk_exp(tape, ssk_affine(tape, logvar, (ssk_real)0.5, 0));
  map.diagonal = ssk_linear(tape, alpha, scale, NULL, SSK_LINEAR);
  if (l->below) {
    ssk_tensor *below = ssk_linear(tape, alpha, ssk_use(ctx, l->below), NULL, SSK_LINEAR);
    below = ssk_linear(tape, below, places(tape, d), NULL, SSK_LINEAR);
    map.C = ssk_add(tape, ssk_reshape(tape, below, SSK_SHAPE(n, d, d)),
                    on_diagonal(tape, map.diagonal));
  }
  return map;
}

/* ---- the slots ------------------------------------------------------------------------------- */

static ssk_tensor *rate(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *rows) {
  const struct triangular p = map_at(self, ctx, rows);
  return triangular_kl(ctx->tape, (struct ssk_gaussian){rows->mean, rows->logvar}, &p);
}

static ssk_tensor *log_prob(const void *self, const struct ssk_ctx *ctx,
                            const struct ssk_rows *rows) {
  const struct triangular p = map_at(self, ctx, rows);
  return triangular_log_prob(ctx->tape, rows->z, &p);
}

static ssk_tensor *sample(const void *self, const struct ssk_ctx *ctx,
                          const struct ssk_rows *rows) {
  const struct triangular p = map_at(self, ctx, rows);
  ssk_tensor *w = ssk_ctx_normal(ctx, "sample", rows->index, SSK_SHAPE(rows->n, ctx->dims->d));
  return triangular_draw(ctx->tape, w, &p);
}

static int init(void *self, ssk_err *err) {
  const struct locally_linear *l = self;
  return ssk_variance_check(&l->variance, err);
}

static const struct ssk_param params[] = {
    FRAME_PARAM(struct locally_linear),
    SSK_PARAM_INT(struct locally_linear, maps, "16", 1, 1024, NULL,
                  "M, the number of linear maps."),
    SSK_PARAM_ENUM(struct locally_linear, noise, "full", noises,
                   "diagonal: the C_i are diagonal; full: lower triangular."),
    SSK_PARAM_REAL(struct locally_linear, spread, "0.1", 1e-6, 10, NULL,
                   "Standard deviation of the entries of A_i and B_i at the start."),
    SSK_PARAM_COMPONENT(struct locally_linear, network, SSK_NETWORK, "mlp",
                        "From the conditions to the logits of the weights."),
    SSK_PARAM_VARIANCE(struct locally_linear, variance, "0"),
    SSK_PARAM_END};

static const struct ssk_transition_ops ops = {
    .size = sizeof ops, .build = build, .rate = rate, .sample = sample, .log_prob = log_prob};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_TRANSITION,
    .name = "locally_linear",
    .summary = "deep variational Bayes filter: a mixture of linear maps",
    .doc =
        "z_t = A z_{t-j:t-1} + B u_t + b + C w_t,  w_t ~ N(0, I), where A, B, b and C are means of "
        "M\n"
        "matrices with the weights alpha = softmax(network(z_{t-j:t-1}, u_t, time_t)). In the "
        "frame\n"
        "additive z_{t-1} is added. A_i and B_i start from normals, b_i and what is under the\n"
        "diagonal of C_i from zero; nothing of it is decayed. The diagonal of C_i is\n"
        "exp(logvar_i / 2), logvar_i = clamp(log(softplus(raw_i) + var_min), logvar_min,\n"
        "logvar_max). The rate is the closed-form KL to the Gaussian posterior.\n"
        "\n"
        "Source: Karl, Soelch, Bayer and van der Smagt 2017 (Deep variational Bayes filters), the\n"
        "locally linear model; there the posterior is over w_t, and C_i need not be triangular.",
    .self_size = sizeof(struct locally_linear),
    .params = params,
    .ops = &ops,
    .init = init,
};

SSK_PLUGIN(&component)
