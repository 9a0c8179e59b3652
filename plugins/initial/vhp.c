/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vhp.c - variational hierarchical prior of the first j latents.
 *
 * Source: Klushyn, Chen, Kurle, Cseke and van der Smagt 2019, "Learning hierarchical priors in
 * VAEs". Auxiliary latents a = z_{-j+1:0} ~ N(0, I) precede the series; an amortised q(a | z_{1:j})
 * bounds the prior's density:
 *
 *     -log p(z_{1:j}) <= KL(q(a | z_{1:j}) || N(0, I)) - E_q(a)[ sum_{t<=j} log p(z_t |
 * z_{t-j:t-1}) ]
 *
 * with p(z_t | z_{t-j:t-1}) a Gaussian network of its own, or the model's transition continued
 * backwards. Either way the rate of step t is the KL, or log q - log p, of the posterior's step
 * given the past. The prior is that of any stretch of the data: its clock starts with it, at 0. */
#include <sskit/plugin.h>

enum head { OWN, TRANSITION };
static const char *const heads[] = {"own", "transition", NULL};

/* The transition's random numbers are named by the rows' index; these are apart from those of the
 * series' own steps. */
#define FIRST_INDEX 0x80000000u

static const struct ssk_variance auxiliary = {
    .var_min = 1e-6, .logvar_min = -10, .logvar_max = 6, .logvar_start = 0};

struct vhp {
  int head;
  struct ssk_variance variance;
  struct ssk_instance *network;
  struct ssk_instance *posterior; /* q(a | z_{1:j}) */
  struct ssk_instance *own;       /* p(z_t | z_{t-j:t-1}) */
};

static int build(void *self, ssk_builder *b, const struct ssk_dims *dims) {
  struct vhp *v = self;
  int j = dims->j, d = dims->d;
  if (v->head == TRANSITION && dims->W)
    return ssk_build_fail(b, SSK_ERECIPE,
                          "head: transition needs one that sees no more than the latents before, "
                          "and the model's has a state (model.initial: start is for those)");
  struct ssk_network_shape shape = {
      .size = sizeof shape, .slots = j, .width = d, .time = dims->F, .outputs = j * d};
  v->posterior = ssk_build_copy(b, v->network);
  ssk_network_build(v->posterior, b, "posterior", &shape, &auxiliary);
  if (v->head == OWN) {
    shape.lag = 1;
    shape.pad = j > 1; /* flags the auxiliaries; with j = 1 there is nothing else */
    shape.outputs = d;
    v->own = ssk_build_copy(b, v->network);
    ssk_network_build(v->own, b, "own", &shape, &v->variance);
  }
  return ssk_build_code(b);
}

/* [j, P, d], a latent a slab -> [P, j*d], a path a row. */
static ssk_tensor *side_by_side(ssk_tape *tape, ssk_tensor *z) {
  int j = z->shape[0], P = z->shape[1], d = z->shape[2];
  if (j > 1)
    z = ssk_permute(tape, z, (const int[]){1, 0, 2});
  return ssk_reshape(tape, z, SSK_SHAPE(P, j * d));
}

/* And back. */
static ssk_tensor *slabs(ssk_tape *tape, ssk_tensor *z, int j, int d) {
  int P = z->shape[0];
  z = ssk_reshape(tape, z, SSK_SHAPE(P, j, d));
  return ssk_permute(tape, z, (const int[]){1, 0, 2});
}

/* Conditioning rows of steps first...first+n-1 with this past, [n*P, j*d], a step a slab.
 * Covariates before the series are not known: zero, in training and in sampling. */
static struct ssk_rows rows_of(const struct ssk_ctx *ctx, ssk_tensor *past, int first, int n) {
  const struct ssk_dims *dims = ctx->dims;
  ssk_tape *tape = ctx->tape;
  int j = dims->j, rows = past->shape[0], P = n ? rows / n : 0;
  struct ssk_rows out = {.size = sizeof out, .n = rows, .past = past};
  out.index = FIRST_INDEX + (uint32_t)first;
  out.step = first;
  out.width = P;
  if (dims->V)
    out.u = ssk_full(tape, SSK_SHAPE(rows, dims->V), 0);
  int *step = ssk_tape_scratch(tape, (size_t)rows * sizeof *step);
  if (!step)
    return out;
  for (int r = 0; r < rows; r++)
    step[r] = first + r / P;
  if (dims->F)
    out.time = ssk_time_features(tape, rows, step, dims->F);
  if (j > 1) {
    out.pad = ssk_empty(tape, SSK_SHAPE(rows, j));
    for (int i = 0; i < (int)out.pad->count; i++)
      out.pad->data[i] = i % j < j - step[i / j];
  }
  return out;
}

/* p(z_t | z_{t-j:t-1}) of the prior's own network. */
static struct ssk_gaussian own(const struct vhp *v, const struct ssk_ctx *ctx,
                               const struct ssk_rows *rows) {
  struct ssk_network_in in = {.size = sizeof in, .rows = *rows};
  in.rows.u = NULL;
  return ssk_network_run(v->own, ctx, &in, &v->variance);
}

/* The auxiliaries of first latents z [j, P, d], and the rows of the j steps that follow them: row
 * t*P
 * + p has the j latents before step t of path p. */
struct before {
  struct ssk_gaussian q; /* q(a | z_{1:j}) and its draw, [P, j*d] */
  ssk_tensor *a;
  struct ssk_rows rows;
};

static struct before before(const struct vhp *v, const struct ssk_ctx *ctx, ssk_tensor *z) {
  ssk_tape *tape = ctx->tape;
  int j = z->shape[0], P = z->shape[1], d = z->shape[2];
  struct ssk_network_in given = {.size = sizeof given};
  given.rows = rows_of(ctx, side_by_side(tape, z), j - 1, 1);
  given.rows.u = given.rows.pad = NULL;
  struct before out = {.q = ssk_network_run(v->posterior, ctx, &given, &auxiliary)};
  ssk_tensor *eps = ssk_ctx_normal(ctx, "auxiliary", 0, SSK_SHAPE(P, j * d));
  out.a = ssk_reparam(tape, out.q, eps);

  ssk_tensor *series = ssk_concat(tape, 2, (ssk_tensor *[]){slabs(tape, out.a, j, d), z}, 0);
  ssk_tensor *past = side_by_side(tape, ssk_rows(tape, series, 0, j));
  for (int t = 1; t < j; t++) {
    ssk_tensor *next = side_by_side(tape, ssk_rows(tape, series, t, j));
    past = ssk_concat(tape, 2, (ssk_tensor *[]){past, next}, 0);
  }
  out.rows = rows_of(ctx, past, 0, j);
  out.rows.z = ssk_reshape(tape, z, SSK_SHAPE(j * P, d));
  if (v->head == TRANSITION)
    out.rows.pad = NULL; /* the transition never sees padding */
  return out;
}

/* N(0, I) of the auxiliaries. */
static struct ssk_gaussian auxiliary_prior(const struct ssk_ctx *ctx, const struct before *b) {
  ssk_tensor *zeros = ssk_full(ctx->tape, b->a->ndim, b->a->shape, 0);
  return (struct ssk_gaussian){.mean = zeros, .logvar = zeros};
}

/* [j*P] -> [P] */
static ssk_tensor *over_steps(ssk_tape *tape, ssk_tensor *steps, int j, int P) {
  return ssk_sum(tape, ssk_reshape(tape, steps, SSK_SHAPE(j, P)), 0);
}

static ssk_tensor *rate(const void *self, const struct ssk_ctx *ctx,
                        const struct ssk_first *first) {
  const struct vhp *v = self;
  ssk_tape *tape = ctx->tape;
  int j = first->z->shape[0], P = first->z->shape[1], d = first->z->shape[2];
  struct before b = before(v, ctx, first->z);
  ssk_tensor *kl = ssk_gaussian_kl(tape, b.q, auxiliary_prior(ctx, &b)), *steps;
  struct ssk_gaussian step = {.mean = ssk_reshape(tape, first->mean, SSK_SHAPE(j * P, d)),
                              .logvar = ssk_reshape(tape, first->logvar, SSK_SHAPE(j * P, d))};
  if (v->head == OWN) {
    steps = ssk_gaussian_kl(tape, step, own(v, ctx, &b.rows));
  } else {
    /* Not "training": the transition's running statistics are those of the series' own steps. */
    struct ssk_ctx inner = *ctx;
    inner.training = false;
    b.rows.mean = step.mean;
    b.rows.logvar = step.logvar;
    b.rows.log_q = ssk_gaussian_log_prob(tape, b.rows.z, step, NULL);
    steps = ssk_transition_rate(ssk_ctx_transition(ctx), &inner, &b.rows);
  }
  return ssk_add(tape, kl, over_steps(tape, steps, j, P));
}

/* p(z_{1:j}, a)/q(a | z_{1:j}) at one draw of a: an estimate of p(z_{1:j}) without bias. */
static ssk_tensor *log_prob(const void *self, const struct ssk_ctx *ctx,
                            const struct ssk_first *first) {
  const struct vhp *v = self;
  ssk_tape *tape = ctx->tape;
  struct before b = before(v, ctx, first->z);
  ssk_tensor *steps = v->head == OWN
                          ? ssk_gaussian_log_prob(tape, b.rows.z, own(v, ctx, &b.rows), NULL)
                          : ssk_transition_log_prob(ssk_ctx_transition(ctx), ctx, &b.rows);
  ssk_tensor *weight =
      ssk_sub(tape, ssk_gaussian_log_prob(tape, b.a, auxiliary_prior(ctx, &b), NULL),
              ssk_gaussian_log_prob(tape, b.a, b.q, NULL));
  return ssk_add(tape, weight, over_steps(tape, steps, first->z->shape[0], first->z->shape[1]));
}

static ssk_tensor *sample(const void *self, const struct ssk_ctx *ctx, int P) {
  const struct vhp *v = self;
  ssk_tape *tape = ctx->tape;
  int j = ctx->dims->j, d = ctx->dims->d;
  ssk_tensor *series = ssk_ctx_normal(ctx, "auxiliary", 0, SSK_SHAPE(j, P, d));
  for (int t = 0; t < j; t++) {
    ssk_tensor *past = side_by_side(tape, ssk_rows(tape, series, t, j)), *z;
    struct ssk_rows rows = rows_of(ctx, past, t, 1);
    if (v->head == OWN) {
      ssk_tensor *eps = ssk_ctx_normal(ctx, "sample", (uint32_t)t, SSK_SHAPE(P, d));
      z = ssk_reparam(tape, own(v, ctx, &rows), eps);
    } else {
      rows.pad = NULL;
      z = ssk_transition_sample(ssk_ctx_transition(ctx), ctx, &rows);
    }
    ssk_tensor *slab = ssk_reshape(tape, z, SSK_SHAPE(1, P, d));
    series = ssk_concat(tape, 2, (ssk_tensor *[]){series, slab}, 0);
  }
  return ssk_rows(tape, series, j, j);
}

static int init(void *self, ssk_err *err) {
  const struct vhp *v = self;
  return ssk_variance_check(&v->variance, err);
}

static const struct ssk_param params[] = {
    SSK_PARAM_ENUM(struct vhp, head, "own", heads,
                   "What follows the auxiliaries: own, a Gaussian network of the prior's; "
                   "transition, the model's own transition."),
    SSK_PARAM_COMPONENT(struct vhp, network, SSK_NETWORK, "mlp",
                        "Of q(a | z_{1:j}), and one more of the own p(z_t | z_{t-j:t-1})."),
    SSK_PARAM_VARIANCE(struct vhp, variance, "0"), SSK_PARAM_END};

static const struct ssk_initial_ops ops = {
    .size = sizeof ops, .build = build, .rate = rate, .sample = sample, .log_prob = log_prob};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_INITIAL,
    .name = "vhp",
    .summary = "variational hierarchical prior: auxiliary latents before the series",
    .doc = "Auxiliaries a = z_{-j+1:0} ~ N(0, I) precede the series, and\n"
           "    p(z_{1:j}) = integral N(a; 0, I) prod_{t<=j} p(z_t | z_{t-j:t-1}) da,\n"
           "bounded with an amortised Gaussian q(a | z_{1:j}):\n"
           "    rate = KL(q(a | z_{1:j}) || N(0, I)) + sum_{t<=j} E[KL(q(z_t | .) || p(z_t | "
           "z_{t-j:t-1}))]\n"
           "by one reparameterised draw of a. p(z_t | .) is a Gaussian network of its own (head: "
           "own),\n"
           "or the model's transition (head: transition), with its own estimate of the step's "
           "rate. The\n"
           "time features are those of steps 0 to j-1; covariates are zero. The prior's mixture "
           "over a\n"
           "can have any shape that the transition's one-step predictions can.\n"
           "\n"
           "Source: Klushyn et al. 2019 (VHP), equation 7.",
    .self_size = sizeof(struct vhp),
    .params = params,
    .ops = &ops,
    .init = init,
};

SSK_PLUGIN(&component)
