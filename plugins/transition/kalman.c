/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kalman.c - the Kalman variational autoencoder: the latents a_t of the model are the observations
 * of a linear-Gaussian process with a hidden state z_t, which the Kalman filter integrates out
 * exactly.
 *
 *     z_1 ~ N(m_0, P_0),   z_t = A_t z_{t-1} + B_t u_t + N(0, Q),   a_t = C_t z_t + N(0, R)
 *     p(a_t | a_{1:t-1}) = N(C_t m_{t|t-1}, C_t P_{t|t-1} C_t' + R)
 *
 * What a transition of the kernel gives is this predictive density; m, P and what the weights of
 * the maps are made of are its state. So log p(a_{1:T}) is exact and nothing is sampled but a, as
 * after equation 9 of the paper, where z is drawn from the smoother and log p(a, z) - log p(z | a)
 * taken.
 *
 * dynamics: history  A_t, B_t, C_t are means of K matrices with weights softmax(GRU(a_{1:t-1})).
 *     Source: Fraccaro, Kamronn, Paquet and Winther 2017, "A disentangled recognition and nonlinear
 *     dynamics model for unsupervised learning", sections 3 and 4 (KVAE; there an LSTM).
 * dynamics: state  A is a mean of K matrices with weights that depend on z_{t-1}; the filter is an
 *     extended one, with the exact Jacobian at the mean.
 *     Source: Klushyn, Kurle, Soelch, Cseke and van der Smagt 2021, "Latent matters: learning deep
 *     state-space models" (EKVAE). */
#include "contraction.h"
#include "kalman_filter.h"

enum dynamics { HISTORY, STATE };
static const char *const dynamics_names[] = {"history", "state", NULL};

struct kalman {
  int dynamics;
  int64_t state, maps, hidden;
  bool stable;
  double spread, noise_logvar_start;
  struct ssk_variance process;
  /* not parameters: */
  struct ssk_variance noise;
  struct ssk_gru_stack gru; /* dynamics: history */
  struct ssk_dense inner;   /* dynamics: state, k -> hidden, tanh */
  struct ssk_dense logits;  /* hidden -> K; none where K = 1 */
  ssk_weight A, B, C;       /* [K, k*k] A_i - I; [., k*V]; [., d*k] C_i - I; K or one of them */
  ssk_weight raw_Q, raw_R, m0, P0; /* [k], [d], [k], [k] raw variances */
};

static int width_of_history(const struct kalman *s) {
  return s->dynamics == HISTORY && s->maps > 1 ? (int)s->hidden : 0;
}

static int state_width(const void *self) {
  const struct kalman *s = self;
  return (int)(s->state + s->state * s->state) + width_of_history(s);
}

static int build(void *self, ssk_builder *b, const struct ssk_dims *dims) {
  struct kalman *s = self;
  const int k = (int)s->state, K = (int)s->maps, H = (int)s->hidden;
  const int given = s->dynamics == HISTORY ? K : 1; /* maps of input and observation */
  s->noise = s->process;
  s->noise.logvar_start = s->noise_logvar_start;
  if (width_of_history(s))
    s->gru = ssk_gru_stack_build(b, "history", dims->d, H, 1);
  else if (K > 1)
    s->inner = ssk_dense_build(b, "state", k, H, SSK_TANH, SSK_INIT_UNIFORM, 1);
  if (K > 1)
    s->logits = ssk_dense_build(b, "weights", H, K, SSK_LINEAR, SSK_INIT_UNIFORM, 1);
  const enum ssk_init normal = SSK_INIT_NORMAL;
  s->A = ssk_declare(b, "A", SSK_SHAPE(K, k * k), normal, s->spread, SSK_NO_DECAY);
  s->B = dims->V
             ? ssk_declare(b, "B", SSK_SHAPE(given, k * dims->V), normal, s->spread, SSK_NO_DECAY)
             : 0;
  s->C = ssk_declare(b, "C", SSK_SHAPE(given, dims->d * k), normal, s->spread, SSK_NO_DECAY);
  const double raw = ssk_variance_raw(&s->process), raw_R = ssk_variance_raw(&s->noise);
  s->raw_Q = ssk_declare(b, "Q", SSK_SHAPE(k), SSK_INIT_CONSTANT, raw, SSK_NO_DECAY);
  s->raw_R = ssk_declare(b, "R", SSK_SHAPE(dims->d), SSK_INIT_CONSTANT, raw_R, SSK_NO_DECAY);
  s->m0 = ssk_declare(b, "m0", SSK_SHAPE(k), SSK_INIT_ZERO, 0, SSK_NO_DECAY);
  s->P0 = ssk_declare(b, "P0", SSK_SHAPE(k), SSK_INIT_CONSTANT, raw, SSK_NO_DECAY);
  return ssk_build_code(b);
}

/* ---- the process ----------------------------------------------------------------------------- */

/* [k] from raw variances. */
static ssk_tensor *variances(const struct ssk_ctx *ctx, ssk_weight raw,
                             const struct ssk_variance *limits) {
  return ssk_exp(ctx->tape, ssk_variance_log(ctx->tape, ssk_use(ctx, raw), limits));
}

/* [n, K] ones, of a single map. */
static ssk_tensor *one_map(const struct ssk_ctx *ctx, int n) {
  return ssk_full(ctx->tape, SSK_SHAPE(n, 1), 1);
}

/* [n, K]: the weights of the maps, from `features` [n, hidden]. */
static ssk_tensor *weights_of(const struct kalman *s, const struct ssk_ctx *ctx,
                              ssk_tensor *features) {
  return ssk_softmax(ctx->tape, ssk_dense_run(ctx, s->logits, features));
}

/* The mean matrix [n, rows, columns] of maps with these weights [n, K]. */
static ssk_tensor *mean_map(const struct ssk_ctx *ctx, ssk_tensor *alpha, ssk_tensor *maps,
                            int rows, int columns) {
  ssk_tensor *flat = ssk_linear(ctx->tape, alpha, maps, NULL, SSK_LINEAR);
  return ssk_reshape(ctx->tape, flat, SSK_SHAPE(alpha->shape[0], rows, columns));
}

/* [K, k*k]: A_i - I. */
static ssk_tensor *moves(const struct kalman *s, const struct ssk_ctx *ctx) {
  ssk_tape *tape = ctx->tape;
  const int k = (int)s->state, K = (int)s->maps;
  ssk_tensor *raw = ssk_use(ctx, s->A);
  if (!s->stable)
    return raw;
  ssk_tensor *identity = identity_matrix(tape, k, k);
  ssk_tensor *A = ssk_add(tape, ssk_reshape(tape, raw, SSK_SHAPE(K, k, k)), identity);
  return ssk_reshape(tape, ssk_sub(tape, contraction(tape, A), identity), SSK_SHAPE(K, k * k));
}

/* A step before its latent is known. */
struct step {
  struct belief belief; /* of z_t given a_{1:t-1} and u_t */
  ssk_tensor *history;  /* [n, hidden] GRU(a_{1:t-1}), or NULL */
  ssk_tensor *C, *R;
  struct triangular next; /* p(a_t | a_{1:t-1}) */
};

static struct step begin_step(const struct kalman *s, const struct ssk_ctx *ctx,
                              const struct ssk_rows *rows) {
  ssk_tape *tape = ctx->tape;
  const int n = rows->n, d = ctx->dims->d, V = ctx->dims->V, k = (int)s->state;
  const int H = width_of_history(s);
  struct step step = {.R = variances(ctx, s->raw_R, &s->noise)};
  step.belief.m = ssk_reshape(tape, ssk_cols(tape, rows->state, 0, k), SSK_SHAPE(n, k, 1));
  step.belief.P = ssk_reshape(tape, ssk_cols(tape, rows->state, k, k * k), SSK_SHAPE(n, k, k));
  step.history = H ? ssk_cols(tape, rows->state, k + k * k, H) : NULL;
  ssk_tensor *alpha = step.history ? weights_of(s, ctx, step.history) : one_map(ctx, n);
  if (rows->u) {
    ssk_tensor *B = mean_map(ctx, alpha, ssk_use(ctx, s->B), k, V);
    ssk_tensor *u = ssk_reshape(tape, rows->u, SSK_SHAPE(n, V, 1));
    step.belief.m = ssk_add(tape, step.belief.m, ssk_bmm(tape, B, u));
  }
  step.C =
      ssk_add(tape, mean_map(ctx, alpha, ssk_use(ctx, s->C), d, k), identity_matrix(tape, d, k));
  step.next = observe(tape, step.belief, step.C, step.R);
  return step;
}

/* d alpha_i / d z_l, [n, K, k], at the features h = tanh(z W + b) [n, H] and weights alpha [n, K]:
 * alpha_i (G_i - sum_j alpha_j G_j) with the logits' Jacobian G = V' diag(1 - h^2) W'. */
static ssk_tensor *weights_jacobian(const struct kalman *s, const struct ssk_ctx *ctx,
                                    ssk_tensor *h, ssk_tensor *alpha) {
  ssk_tape *tape = ctx->tape;
  const int n = h->shape[0], H = (int)s->hidden, K = (int)s->maps, k = (int)s->state;
  ssk_tensor *slope = ssk_affine(tape, ssk_square(tape, h), -1, 1);
  ssk_tensor *V = ssk_reshape(tape, ssk_use(ctx, s->logits.W), SSK_SHAPE(1, H, K));
  ssk_tensor *W = ssk_reshape(tape, ssk_use(ctx, s->inner.W), SSK_SHAPE(1, k, H));
  ssk_tensor *rows =
      ssk_mul(tape, transposed(tape, V), ssk_reshape(tape, slope, SSK_SHAPE(n, 1, H)));
  ssk_tensor *G = ssk_bmm(tape, rows, transposed(tape, W));
  ssk_tensor *mean = ssk_bmm(tape, ssk_reshape(tape, alpha, SSK_SHAPE(n, 1, K)), G);
  return ssk_mul(tape, ssk_reshape(tape, alpha, SSK_SHAPE(n, K, 1)), ssk_sub(tape, G, mean));
}

/* The belief a step later, from the filtered one; history: GRU(a_{1:t}), or NULL. */
static struct belief predict(const struct kalman *s, const struct ssk_ctx *ctx, struct belief b,
                             ssk_tensor *history) {
  ssk_tape *tape = ctx->tape;
  const int n = b.m->shape[0], k = (int)s->state, K = (int)s->maps;
  ssk_tensor *m = ssk_reshape(tape, b.m, SSK_SHAPE(n, k)), *h = NULL;
  ssk_tensor *alpha = one_map(ctx, n);
  if (history)
    alpha = weights_of(s, ctx, history);
  else if (K > 1)
    alpha = weights_of(s, ctx, h = ssk_dense_run(ctx, s->inner, m));
  ssk_tensor *A = moves(s, ctx);
  ssk_tensor *F = ssk_add(tape, mean_map(ctx, alpha, A, k, k), identity_matrix(tape, k, k));
  struct belief moved = {.m = ssk_bmm(tape, F, b.m)};
  if (h) { /* the weights move with the state: A_i m (d alpha_i / d z)', summed over i */
    ssk_tensor *each = ssk_reshape(tape, A, SSK_SHAPE(1, K * k, k));
    each = ssk_reshape(tape, ssk_bmm(tape, each, b.m), SSK_SHAPE(n, K, k));
    F = ssk_add(tape, F, ssk_bmm(tape, transposed(tape, each), weights_jacobian(s, ctx, h, alpha)));
  }
  moved.P = sandwich(tape, F, b.P, variances(ctx, s->raw_Q, &s->process));
  return moved;
}

/* [n, W]: belief and history side by side. */
static ssk_tensor *pack(const struct kalman *s, const struct ssk_ctx *ctx, int n, struct belief b,
                        ssk_tensor *history) {
  const int k = (int)s->state;
  ssk_tensor *parts[] = {ssk_reshape(ctx->tape, b.m, SSK_SHAPE(n, k)),
                         ssk_reshape(ctx->tape, b.P, SSK_SHAPE(n, k * k)), history};
  return ssk_concat(ctx->tape, history ? 3 : 2, parts, -1);
}

/* ---- the slots ------------------------------------------------------------------------------- */

static ssk_tensor *start(const void *self, const struct ssk_ctx *ctx, int n) {
  const struct kalman *s = self;
  ssk_tape *tape = ctx->tape;
  const int k = (int)s->state, H = width_of_history(s);
  ssk_tensor *variance = variances(ctx, s->P0, &s->process);
  ssk_tensor *m = ssk_reshape(tape, ssk_use(ctx, s->m0), SSK_SHAPE(1, k));
  ssk_tensor *P = on_diagonal(tape, ssk_reshape(tape, variance, SSK_SHAPE(1, k)));
  ssk_tensor *history = H ? ssk_full(tape, SSK_SHAPE(1, H), 0) : NULL;
  return ssk_repeat(tape, pack(s, ctx, 1, (struct belief){m, P}, history), 0, n);
}

static ssk_tensor *advance(const void *self, const struct ssk_ctx *ctx,
                           const struct ssk_rows *rows) {
  const struct kalman *s = self;
  ssk_tape *tape = ctx->tape;
  const int n = rows->n, d = ctx->dims->d;
  const struct step step = begin_step(s, ctx, rows);
  const struct belief seen = update(tape, step.belief, step.C, step.R, &step.next, rows->z);
  ssk_tensor *history = NULL;
  if (step.history)
    ssk_gru_stack_run_part(ctx, &s->gru, ssk_reshape(tape, rows->z, SSK_SHAPE(1, n, d)),
                           step.history, &history);
  return pack(s, ctx, n, predict(s, ctx, seen, history), history);
}

static ssk_tensor *rate(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *rows) {
  const struct step step = begin_step(self, ctx, rows);
  return triangular_kl(ctx->tape, (struct ssk_gaussian){rows->mean, rows->logvar}, &step.next);
}

static ssk_tensor *log_prob(const void *self, const struct ssk_ctx *ctx,
                            const struct ssk_rows *rows) {
  const struct step step = begin_step(self, ctx, rows);
  return triangular_log_prob(ctx->tape, rows->z, &step.next);
}

static ssk_tensor *sample(const void *self, const struct ssk_ctx *ctx,
                          const struct ssk_rows *rows) {
  const struct step step = begin_step(self, ctx, rows);
  ssk_tensor *w = ssk_ctx_normal(ctx, "sample", rows->index, SSK_SHAPE(rows->n, ctx->dims->d));
  return triangular_draw(ctx->tape, w, &step.next);
}

static int init(void *self, ssk_err *err) {
  const struct kalman *s = self;
  if (s->noise_logvar_start < s->process.logvar_min ||
      s->noise_logvar_start > s->process.logvar_max)
    return ssk_err_set(err, SSK_ERECIPE,
                       "noise_logvar_start (%g) is not between logvar_min (%g) and logvar_max (%g)",
                       s->noise_logvar_start, s->process.logvar_min, s->process.logvar_max);
  return ssk_variance_check(&s->process, err);
}

static const struct ssk_param params[] = {
    SSK_PARAM_ENUM(struct kalman, dynamics, "history", dynamics_names,
                   "What the weights of the maps depend on. history: a_{1:t-1} (KVAE); state: "
                   "z_{t-1}, by an extended Kalman filter (EKVAE)."),
    SSK_PARAM_INT(struct kalman, state, "4", 1, 64, NULL, "Dimension k of the hidden state z."),
    SSK_PARAM_INT(struct kalman, maps, "3", 1, 1024, NULL,
                  "K, the number of maps; 1: one linear process."),
    SSK_PARAM_BOOL(struct kalman, stable, "false",
                   "Divide each A_i by its spectral norm where that is above 1: a forecast then "
                   "cannot grow but by what comes in."),
    SSK_PARAM_INT(struct kalman, hidden, "32", 1, 4096, "units",
                  "Width of the network of the weights: of the GRU, or of the tanh layer."),
    SSK_PARAM_REAL(struct kalman, spread, "0.05", 0, 10, NULL,
                   "Standard deviation of the entries of A_i - I, B_i and C_i - I at the start."),
    SSK_PARAM_REAL(struct kalman, noise_logvar_start, "-2", -30, 30, "nats",
                   "Log variance that R starts from; Q and P_0 start from logvar_start."),
    SSK_PARAM_VARIANCE(struct kalman, process, "0"),
    SSK_PARAM_END};

static const struct ssk_transition_ops ops = {.size = sizeof ops,
                                              .build = build,
                                              .rate = rate,
                                              .sample = sample,
                                              .log_prob = log_prob,
                                              .state_width = state_width,
                                              .start = start,
                                              .advance = advance};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_TRANSITION,
    .name = "kalman",
    .summary = "Kalman variational autoencoder: latents are observations of a linear process",
    .doc =
        "    z_1 ~ N(m_0, P_0),  z_t = A_t z_{t-1} + B_t u_t + N(0, Q),  a_t = C_t z_t + N(0, R)\n"
        "with a hidden state z of k dimensions and the model's latents a_t, u_t in the place of "
        "which\n"
        "stands zero at the first step; Q, R and P_0 are diagonal. What the kernel gets is\n"
        "    p(a_t | a_{1:t-1}) = N(C_t m_{t|t-1}, C_t P_{t|t-1} C_t' + R),\n"
        "exactly, by a Kalman filter in Joseph's form along each path; the rate is the "
        "closed-form\n"
        "KL to the Gaussian posterior. Use it with initial: start, so that p(a_1) is the "
        "filter's,\n"
        "too, and with an encoder that looks at x_t alone (structured: false, frame: free, "
        "summary:\n"
        "identity), as in the paper.\n"
        "    dynamics history   A_t, B_t, C_t = sum_i alpha_i (A_i, B_i, C_i),\n"
        "                       alpha = softmax(W GRU(a_{1:t-1}) + w)\n"
        "    dynamics state     A = sum_i alpha_i A_i, alpha = softmax(W tanh(V z_{t-1} + v) + "
        "w),\n"
        "                       linearised at the filtered mean; one B, one C\n"
        "A_i and C_i start from the identity plus normals. Nothing keeps A_i from growth: after a\n"
        "long horizon paths may leave the range of the data by orders of magnitude. With stable:\n"
        "true A_i / max(1, |A_i|) stands for A_i (spectral norm). A matrix that is not positive "
        "definite\n"
        "makes the loss nan: the step is skipped.\n"
        "\n"
        "Sources: Fraccaro, Kamronn, Paquet and Winther 2017 (KVAE); Klushyn, Kurle, Soelch, "
        "Cseke\n"
        "and van der Smagt 2021 (EKVAE); Bucy and Joseph 1968; Miyato, Kataoka, Koyama and\n"
        "Yoshida 2018 (spectral normalisation).",
    .self_size = sizeof(struct kalman),
    .params = params,
    .ops = &ops,
    .init = init,
};

SSK_PLUGIN(&component)
