/* SPDX-License-Identifier: GPL-3.0-or-later */
/* context.c - network of a conditional Gaussian: a gated residual stack over slots and hidden
 * units.
 *
 * The conditions are laid out as L slots: first, where there is one, the summary (what is known of
 * the step, with what else depends on the path), then the past latents, oldest first. A linear map
 * takes each slot to H hidden units, which are an axis of their own, with C channels beside it:
 *
 *     x   = relu(w s + b)                               [L, n, H, C] from s [L, n, H], C channels
 *     y   = feature(time(x))                            mixers over L (where L > 1) and over H
 *     a,b = W y + side,   g = sigmoid(a) tanh(b)
 *     r,k = V g + c,      x <- (x + r)/sqrt(2)          a block; `blocks` of them
 *     f_hc = sum_l  u_lhc (sum of the k)_lhc / sqrt(blocks) + e_hc
 *     mean = M f + m,     raw = R f + q                 M: Xavier, gain 0.5; R = 0
 *
 * `side` is linear in what is known of each slot, and the same for all hidden units: the time
 * features of the slot's own step, covariates, and `flags` numbers each for its role (summary or
 * latent) and its being padding. It and the summary's projection do not depend on the path but for
 * the padding: in a recursion both are made ahead, for all steps at once. What the last block would
 * leave for another one is not computed.
 *
 * Sources: CSDI's residual stack, Tashiro et al. 2021, section 4.3, applied to the history. */
#include <math.h>
#include <sskit/plugin.h>

#define MAX_BLOCKS 8

struct context {
  int64_t hidden, channels, blocks, flags;
  struct ssk_instance *time, *feature;
  /* not parameters: */
  struct ssk_network_shape shape;
  int slots;                  /* L: with the summary's */
  struct ssk_dense latent;    /* width -> H */
  struct ssk_dense summary;   /* now + known -> H */
  struct ssk_dense role, pad; /* 1 -> flags */
  struct ssk_dense side;      /* -> 2C of every block */
  struct ssk_dense open;      /* 1 -> C */
  struct {
    struct ssk_instance *time, *feature; /* or NULL */
    struct ssk_dense middle, residual, skip;
  } block[MAX_BLOCKS];
  ssk_weight over_slots, after; /* [L, H*C], [H*C] */
  struct ssk_dense mean;
  ssk_weight raw, raw_bias;
};

static bool has_summary(const struct context *c) {
  return c->shape.now + c->shape.known > 0;
}

/* Columns of the side information. */
static int side_width(const struct context *c) {
  int flags = (has_summary(c) ? 1 : 0) + (c->shape.pad ? 1 : 0);
  return c->shape.time + c->shape.u + flags * (int)c->flags;
}

/* All blocks' side information, per slot and row. */
static int side_outputs(const struct context *c) {
  return (int)(c->blocks * 2 * c->channels);
}

/* ---- weights --------------------------------------------------------------------------------- */

static void build_block(struct context *c, ssk_builder *b, int i) {
  int C = (int)c->channels;
  const enum ssk_init kaiming = SSK_INIT_KAIMING;
  ssk_scope(b, "block%d", i);
  c->block[i].time = c->slots > 1 ? ssk_build_copy(b, c->time) : NULL;
  ssk_mixer_build(c->block[i].time, b, C);
  c->block[i].feature = c->feature ? ssk_build_copy(b, c->feature) : NULL;
  ssk_mixer_build(c->block[i].feature, b, C);
  c->block[i].middle = ssk_dense_build(b, "middle", C, 2 * C, SSK_LINEAR, kaiming, 1);
  if (i + 1 < c->blocks)
    c->block[i].residual = ssk_dense_build(b, "residual", C, C, SSK_LINEAR, kaiming, 1);
  c->block[i].skip = ssk_dense_build(b, "skip", C, C, SSK_LINEAR, kaiming, 1);
  ssk_unscope(b);
}

static int build(void *self, ssk_builder *b, const char *name,
                 const struct ssk_network_shape *shape, const struct ssk_variance *variance) {
  struct context *c = self;
  int H = (int)c->hidden, C = (int)c->channels, flags = (int)c->flags;
  const enum ssk_init uniform = SSK_INIT_UNIFORM;
  c->shape = *shape;
  c->slots = shape->slots + (has_summary(c) ? 1 : 0);
  ssk_scope(b, "%s", name);
  if (shape->slots)
    c->latent = ssk_dense_build(b, "latent", shape->width, H, SSK_LINEAR, uniform, 1);
  if (has_summary(c)) {
    int in = shape->now + shape->known;
    c->summary = ssk_dense_build(b, "summary", in, H, SSK_LINEAR, uniform, 1);
    c->role = ssk_dense_build(b, "role", 1, flags, SSK_LINEAR, uniform, 1);
  }
  if (shape->pad)
    c->pad = ssk_dense_build(b, "pad", 1, flags, SSK_LINEAR, uniform, 1);
  if (side_width(c))
    c->side =
        ssk_dense_build(b, "side", side_width(c), side_outputs(c), SSK_LINEAR, SSK_INIT_KAIMING, 1);
  c->open = ssk_dense_build(b, "open", 1, C, SSK_RELU, SSK_INIT_KAIMING, 1);
  for (int i = 0; i < c->blocks && !ssk_build_code(b); i++)
    build_block(c, b, i);
  c->over_slots = ssk_declare(b, "over_slots", SSK_SHAPE(c->slots, H * C), uniform, 1, SSK_DECAY);
  c->after =
      ssk_declare(b, "after", SSK_SHAPE(H * C), uniform, 1 / sqrt((double)c->slots), SSK_NO_DECAY);
  c->mean = ssk_dense_build(b, "mean", H * C, shape->outputs, SSK_LINEAR, SSK_INIT_XAVIER, 0.5);
  if (variance) {
    c->raw =
        ssk_declare(b, "raw", SSK_SHAPE(H * C, shape->outputs), SSK_INIT_ZERO, 0, SSK_NO_DECAY);
    c->raw_bias = ssk_declare(b, "raw_bias", SSK_SHAPE(shape->outputs), SSK_INIT_CONSTANT,
                              ssk_variance_raw(variance), SSK_NO_DECAY);
  }
  ssk_unscope(b);
  return ssk_build_code(b);
}

/* ---- side information ------------------------------------------------------------------------ */

/* How many steps before that of the time features slot l is. */
static int lag_of(const struct context *c, int l) {
  if (has_summary(c))
    return l == 0 ? 0 : c->shape.slots - l + c->shape.lag;
  return c->shape.slots - 1 - l + c->shape.lag;
}

static ssk_tensor *as_slab(ssk_tape *tape, ssk_tensor *x, int n) {
  return ssk_reshape(tape, x, SSK_SHAPE(1, n, ssk_width(x)));
}

/* [L, n, .] for every slot from [n, .]. */
static ssk_tensor *every_slot(const struct context *c, ssk_tape *tape, ssk_tensor *x, int n) {
  return ssk_repeat(tape, as_slab(tape, x, n), 0, c->slots);
}

/* [L, n, flags]: the embedded flag of each slot, 1 for `first` slots and 0 for the rest. */
static ssk_tensor *flags_of(const struct context *c, const struct ssk_ctx *ctx, int n, int first,
                            struct ssk_dense embedding) {
  ssk_tensor *flag = ssk_full(ctx->tape, SSK_SHAPE(c->slots, 1, 1), 0);
  for (int l = 0; flag->count && l < first; l++)
    flag->data[l] = 1;
  return ssk_repeat(ctx->tape, ssk_dense_run(ctx, embedding, flag), 1, n);
}

/* [L, n, blocks*2C]: what n rows' u [n, V] and time [n, F] add to each block, without padding; NULL
 * when nothing does. */
static ssk_tensor *side_of(const struct context *c, const struct ssk_ctx *ctx, int n, ssk_tensor *u,
                           ssk_tensor *time) {
  ssk_tape *tape = ctx->tape;
  ssk_tensor *parts[4], *slots[64 + 1];
  int k = 0;
  if (time) {
    for (int l = 0; l < c->slots; l++)
      slots[l] = as_slab(tape, ssk_time_before(tape, time, lag_of(c, l)), n);
    parts[k++] = c->slots > 1 ? ssk_concat(tape, c->slots, slots, 0) : slots[0];
  }
  if (u)
    parts[k++] = every_slot(c, tape, u, n);
  if (has_summary(c))
    parts[k++] = flags_of(c, ctx, n, 1, c->role);
  if (c->shape.pad)
    parts[k++] = flags_of(c, ctx, n, 0, c->pad);
  if (!k)
    return NULL;
  return ssk_dense_run(ctx, c->side, k > 1 ? ssk_concat(tape, k, parts, -1) : parts[0]);
}

/* What padding adds to that: its flag's part of the side information, without the bias. */
static ssk_tensor *side_of_padding(const struct context *c, const struct ssk_ctx *ctx,
                                   ssk_tensor *pad) {
  ssk_tape *tape = ctx->tape;
  int n = pad->shape[0], flags = (int)c->flags;
  ssk_tensor *flag = ssk_permute(tape, pad, (const int[]){1, 0});
  flag = ssk_reshape(tape, flag, SSK_SHAPE(c->shape.slots, n, 1));
  if (has_summary(c))
    flag = ssk_concat(tape, 2, (ssk_tensor *[]){ssk_full(tape, SSK_SHAPE(1, n, 1), 0), flag}, 0);
  ssk_tensor *W = ssk_rows(tape, ssk_use(ctx, c->side.W), side_width(c) - flags, flags);
  W = ssk_linear(tape, ssk_use(ctx, c->pad.W), W, NULL, SSK_LINEAR); /* [1, blocks*2C] */
  return ssk_linear(tape, flag, W, NULL, SSK_LINEAR);
}

/* ---- ahead of a recursion -------------------------------------------------------------------- */

/* [.., H + L*blocks*2C]: the summary's projection, then the side information. */
static ssk_tensor *prepare(const void *self, const struct ssk_ctx *ctx,
                           const struct ssk_network_in *in) {
  const struct context *c = self;
  ssk_tape *tape = ctx->tape;
  ssk_tensor *known = in->known;
  int T = known->shape[0], B = known->shape[1], n = T * B, F = c->shape.time, V = c->shape.u;
  ssk_tensor *W = ssk_rows(tape, ssk_use(ctx, c->summary.W), c->shape.now, c->shape.known);
  ssk_tensor *summary = ssk_linear(tape, known, W, ssk_use(ctx, c->summary.b), SSK_LINEAR);
  ssk_tensor *u = V ? ssk_reshape(tape, in->rows.u, SSK_SHAPE(n, V)) : NULL;
  ssk_tensor *time = F ? ssk_reshape(tape, in->rows.time, SSK_SHAPE(n, F)) : NULL;
  ssk_tensor *side = ssk_permute(tape, side_of(c, ctx, n, u, time), (const int[]){1, 0, 2});
  side = ssk_reshape(tape, side, SSK_SHAPE(T, B, c->slots * side_outputs(c)));
  return ssk_concat(tape, 2, (ssk_tensor *[]){summary, side}, -1);
}

/* And back, for n rows: the summary's projection [n, H], the side information [L, n, blocks*2C]. */
static void unpack(const struct context *c, const struct ssk_ctx *ctx, ssk_tensor *prepared,
                   ssk_tensor **summary, ssk_tensor **side) {
  int H = (int)c->hidden, n = prepared->shape[0], K = side_outputs(c);
  *summary = ssk_cols(ctx->tape, prepared, 0, H);
  ssk_tensor *packed = ssk_cols(ctx->tape, prepared, H, c->slots * K);
  packed = ssk_reshape(ctx->tape, packed, SSK_SHAPE(n, c->slots, K));
  *side = ssk_permute(ctx->tape, packed, (const int[]){1, 0, 2});
}

/* ---- the network ----------------------------------------------------------------------------- */

/* [L, n, H]: the slots, from the latents and the summary's projection (NULL: there is none, or it
 * is not made yet). */
static ssk_tensor *slots_of(const struct context *c, const struct ssk_ctx *ctx,
                            const struct ssk_network_in *in, ssk_tensor *summary) {
  ssk_tape *tape = ctx->tape;
  int n = in->rows.n, j = c->shape.slots, H = (int)c->hidden;
  ssk_tensor *past = in->rows.past;
  if (j > 1)
    past = ssk_permute(tape, ssk_reshape(tape, past, SSK_SHAPE(n, j, c->shape.width)),
                       (const int[]){1, 0, 2});
  else if (j)
    past = as_slab(tape, past, n);
  ssk_tensor *latents = j ? ssk_dense_run(ctx, c->latent, past) : NULL;
  if (!has_summary(c))
    return latents;
  if (!summary && c->shape.known) {
    ssk_tensor *W = ssk_rows(tape, ssk_use(ctx, c->summary.W), c->shape.now, c->shape.known);
    summary = ssk_linear(tape, in->known, W, ssk_use(ctx, c->summary.b), SSK_LINEAR);
  }
  if (c->shape.now) {
    ssk_tensor *W = ssk_rows(tape, ssk_use(ctx, c->summary.W), 0, c->shape.now);
    ssk_tensor *bias = summary ? NULL : ssk_use(ctx, c->summary.b);
    ssk_tensor *now = ssk_linear(tape, in->now, W, bias, SSK_LINEAR);
    summary = summary ? ssk_add(tape, summary, now) : now;
  }
  summary = ssk_reshape(tape, summary, SSK_SHAPE(1, n, H));
  return latents ? ssk_concat(tape, 2, (ssk_tensor *[]){summary, latents}, 0) : summary;
}

/* Mix x [L, n*H, C] over the slots, then over the hidden units. */
static ssk_tensor *mix(const struct context *c, const struct ssk_ctx *ctx, int i, ssk_tensor *x) {
  ssk_tape *tape = ctx->tape;
  int L = c->slots, H = (int)c->hidden, C = (int)c->channels, n = x->shape[1] / H;
  if (c->block[i].time)
    x = ssk_mixer_run(c->block[i].time, ctx, x, false);
  if (!c->block[i].feature)
    return x;
  x = ssk_reshape(tape, x, SSK_SHAPE(L * n, H, C));
  x = ssk_permute(tape, x, (const int[]){1, 0, 2});
  x = ssk_mixer_run(c->block[i].feature, ctx, x, false);
  x = ssk_permute(tape, x, (const int[]){1, 0, 2});
  return ssk_reshape(tape, x, SSK_SHAPE(L, n * H, C));
}

static struct ssk_gated_layers layers_of(const struct context *c, const struct ssk_ctx *ctx,
                                         int i) {
  const bool last = i + 1 == c->blocks;
  const struct ssk_dense middle = c->block[i].middle, skip = c->block[i].skip;
  return (struct ssk_gated_layers){.W = ssk_use(ctx, middle.W),
                                   .b = ssk_use(ctx, middle.b),
                                   .S = ssk_use(ctx, skip.W),
                                   .s = ssk_use(ctx, skip.b),
                                   .R = last ? NULL : ssk_use(ctx, c->block[i].residual.W),
                                   .r = last ? NULL : ssk_use(ctx, c->block[i].residual.b)};
}

/* [1, L*n*H, C]: the sum of the blocks' skips, from slots [L, n, H]. */
static ssk_tensor *stack(const struct context *c, const struct ssk_ctx *ctx, ssk_tensor *slots,
                         ssk_tensor *side) {
  ssk_tape *tape = ctx->tape;
  int L = c->slots, n = slots->shape[1], H = (int)c->hidden, C = (int)c->channels;
  ssk_tensor *state =
      ssk_dense_run(ctx, c->open, ssk_reshape(tape, slots, SSK_SHAPE(1, L * n * H, 1)));
  for (int i = 0; i < c->blocks; i++) {
    const struct ssk_gated_layers layers = layers_of(c, ctx, i);
    ssk_tensor *x = ssk_reshape(tape, ssk_rows(tape, state, 0, 1), SSK_SHAPE(L, n * H, C));
    state = ssk_gated_residual(tape, &layers, mix(c, ctx, i, x), side, i * 2 * C, state,
                               (ssk_real)sqrt(0.5));
  }
  return state;
}

/* [n, H*C]: one filter over all slots for each unit and channel. */
static ssk_tensor *over_slots(const struct context *c, const struct ssk_ctx *ctx, int n,
                              ssk_tensor *x) {
  ssk_tape *tape = ctx->tape;
  int L = c->slots, width = (int)(c->hidden * c->channels);
  ssk_tensor *filter =
      ssk_affine(tape, ssk_use(ctx, c->over_slots), (ssk_real)(1 / sqrt((double)c->blocks)), 0);
  return ssk_weighted_sum(tape, ssk_reshape(tape, x, SSK_SHAPE(L, n, width)), filter,
                          ssk_use(ctx, c->after));
}

static struct ssk_gaussian run(const void *self, const struct ssk_ctx *ctx,
                               const struct ssk_network_in *in,
                               const struct ssk_variance *variance) {
  const struct context *c = self;
  ssk_tape *tape = ctx->tape;
  int n = in->rows.n;
  ssk_tensor *summary = NULL, *side;
  if (in->prepared)
    unpack(c, ctx, in->prepared, &summary, &side);
  else
    side = side_of(c, ctx, n, in->rows.u, in->rows.time);
  if (c->shape.pad && in->rows.pad)
    side = ssk_add(tape, side, side_of_padding(c, ctx, in->rows.pad));
  ssk_tensor *x = stack(c, ctx, slots_of(c, ctx, in, summary), side);
  x = over_slots(c, ctx, n, x);
  struct ssk_gaussian p = {.mean = ssk_dense_run(ctx, c->mean, x)};
  if (variance) {
    ssk_tensor *raw =
        ssk_linear(tape, x, ssk_use(ctx, c->raw), ssk_use(ctx, c->raw_bias), SSK_LINEAR);
    p.logvar = ssk_variance_log(tape, raw, variance);
  }
  return p;
}

static const struct ssk_param params[] = {
    SSK_PARAM_INT(struct context, hidden, "32", 1, 1024, "units", "H: length of the hidden axis."),
    SSK_PARAM_INT(struct context, channels, "8", 1, 256, NULL, "C: channels beside it."),
    SSK_PARAM_INT(struct context, blocks, "2", 1, MAX_BLOCKS, NULL, "Residual blocks."),
    SSK_PARAM_INT(struct context, flags, "8", 1, 256, NULL,
                  "Width that the flags of role and padding are embedded in, each."),
    SSK_PARAM_COMPONENT(struct context, time, SSK_MIXER, "conv",
                        "Mixes over the slots; not used where there is one."),
    SSK_PARAM_COMPONENT(struct context, feature, SSK_MIXER, "none",
                        "Mixes over the hidden units; none: they are only mixed at the end."),
    SSK_PARAM_END};

static const struct ssk_network_ops ops = {
    .size = sizeof ops, .build = build, .prepare = prepare, .run = run};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_NETWORK,
    .name = "context",
    .summary = "gated residual stack over slots and hidden units, as CSDI's",
    .doc =
        "The summary and the past latents are slots of H hidden units with C channels beside "
        "them.\n"
        "Each block mixes over the slots and over the units, computes\n"
        "    g = sigmoid(a) tanh(b),  [a, b] = W y + side information of the slot,\n"
        "and gives a residual, x <- (x + r)/sqrt(2), and a skip; the skips' sum, over "
        "sqrt(blocks),\n"
        "is weighted over the slots and mapped to mean and raw variance. The mean starts as "
        "Xavier's\n"
        "with gain 0.5, the variance constant. Side information: time features of each slot's own\n"
        "step, covariates, embedded flags of role (summary or latent) and of padding.\n"
        "\n"
        "Source: the residual stack of Tashiro et al. 2021 (CSDI), section 4.3, on the history.",
    .self_size = sizeof(struct context),
    .params = params,
    .ops = &ops,
};

SSK_PLUGIN(&component)
