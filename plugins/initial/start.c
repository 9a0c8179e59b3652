/* SPDX-License-Identifier: GPL-3.0-or-later */
/* start.c - the first latents by the transition itself, from where its state starts.
 *
 *     p(z_{1:j}) = prod_{t <= j} p(z_t | z_{1:t-1})
 *
 * For transitions that keep a state of all latents before (`kalman`): then the prior of the whole
 * path is theirs. Latents before the first are zero and flagged as padding; covariates and time
 * features of the first j steps are not given. */
#include <sskit/plugin.h>

struct start {
  int unused; /* a component's struct has a size */
};

static int build(void *self, ssk_builder *b, const struct ssk_dims *dims) {
  (void)self;
  if (!dims->W)
    return ssk_build_fail(b, SSK_ERECIPE,
                          "the transition has no state that its first latents could start from: "
                          "use another initial prior");
  return ssk_build_code(b);
}

/* Rows of step t, 0-based, with the latents before it. */
static struct ssk_rows rows_at(const struct ssk_ctx *ctx, int t, ssk_tensor *const *z,
                               ssk_tensor *state) {
  const int j = ctx->dims->j, P = ctx->P, d = ctx->dims->d;
  ssk_tensor *slots[SSK_MAX_ORDER];
  struct ssk_rows rows = {.size = sizeof rows,
                          .n = P,
                          .state = state,
                          .pad = ssk_full(ctx->tape, SSK_SHAPE(P, j), 0),
                          .index = (uint32_t)t,
                          .step = t};
  for (int i = 0; i < j; i++) {
    const int step = t - j + i;
    slots[i] = step >= 0 ? z[step] : ssk_full(ctx->tape, SSK_SHAPE(P, d), 0);
    for (int p = 0; step < 0 && rows.pad->count && p < P; p++)
      rows.pad->data[p * j + i] = 1;
  }
  rows.past = j == 1 ? slots[0] : ssk_concat(ctx->tape, j, slots, -1);
  return rows;
}

/* Step t of [j, P, d] as [P, d]; NULL stays NULL. */
static ssk_tensor *at(const struct ssk_ctx *ctx, ssk_tensor *slab, int t) {
  return slab ? ssk_reshape(ctx->tape, ssk_rows(ctx->tape, slab, t, 1),
                            SSK_SHAPE(ctx->P, ctx->dims->d))
              : NULL;
}

typedef ssk_tensor *of_step(const struct ssk_instance *i, const struct ssk_ctx *ctx,
                            const struct ssk_rows *rows);

/* [P]: the sum over the first j steps. */
static ssk_tensor *over_steps(const struct ssk_ctx *ctx, const struct ssk_first *first,
                              of_step *value) {
  const struct ssk_instance *transition = ssk_ctx_transition(ctx);
  const int j = ctx->dims->j;
  ssk_tensor *z[SSK_MAX_ORDER], *state = ssk_transition_start(transition, ctx, ctx->P), *sum = NULL;
  for (int t = 0; t < j; t++) {
    z[t] = at(ctx, first->z, t);
    struct ssk_rows rows = rows_at(ctx, t, z, state);
    rows.z = z[t];
    rows.mean = at(ctx, first->mean, t);
    rows.logvar = at(ctx, first->logvar, t);
    if (rows.mean)
      rows.log_q = ssk_gaussian_log_prob(ctx->tape, rows.z,
                                         (struct ssk_gaussian){rows.mean, rows.logvar}, NULL);
    ssk_tensor *share = value(transition, ctx, &rows);
    sum = sum ? ssk_add(ctx->tape, sum, share) : share;
    if (t + 1 < j)
      state = ssk_transition_advance(transition, ctx, &rows);
  }
  return sum;
}

static ssk_tensor *rate(const void *self, const struct ssk_ctx *ctx,
                        const struct ssk_first *first) {
  (void)self;
  return over_steps(ctx, first, ssk_transition_rate);
}

static ssk_tensor *log_prob(const void *self, const struct ssk_ctx *ctx,
                            const struct ssk_first *first) {
  (void)self;
  const struct ssk_first alone = {.size = sizeof alone, .z = first->z};
  return over_steps(ctx, &alone, ssk_transition_log_prob);
}

static ssk_tensor *sample(const void *self, const struct ssk_ctx *ctx, int P) {
  (void)self;
  (void)P;
  const struct ssk_instance *transition = ssk_ctx_transition(ctx);
  const int j = ctx->dims->j;
  ssk_tensor *z[SSK_MAX_ORDER], *state = ssk_transition_start(transition, ctx, ctx->P);
  for (int t = 0; t < j; t++) {
    struct ssk_rows rows = rows_at(ctx, t, z, state);
    rows.z = z[t] = ssk_transition_sample(transition, ctx, &rows);
    if (t + 1 < j)
      state = ssk_transition_advance(transition, ctx, &rows);
  }
  return ssk_stack(ctx->tape, j, z);
}

static const struct ssk_initial_ops ops = {
    .size = sizeof ops, .build = build, .rate = rate, .sample = sample, .log_prob = log_prob};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_INITIAL,
    .name = "start",
    .summary = "the transition from where its state starts",
    .doc = "p(z_{1:j}) = prod_{t <= j} p(z_t | z_{1:t-1}) by the transition itself, for one that "
           "keeps\n"
           "a state of all latents before: the prior of the whole path is then its own. Latents\n"
           "before the first are zero and flagged as padding; covariates and time features of the\n"
           "first j steps are not given to it.",
    .self_size = sizeof(struct start),
    .ops = &ops,
};

SSK_PLUGIN(&component)
