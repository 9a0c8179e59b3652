/* SPDX-License-Identifier: GPL-3.0-or-later */
/* path_diffusion.c - a prior of whole paths of latents by a conditional diffusion: what is not
 * known of a path is drawn given what is.
 *
 * Training hides a part of what is known, noises it, and lets the network find the noise, given the
 * rest (Tashiro et al. 2021, equation 9):
 *
 *     || e - F(z_known, c_in (z_hidden + sigma_k e), sigma_k) ||^2,   c_in = 1/sqrt(1 + sigma_k^2),
 *
 * the mean over the hidden entries, at one level k of K, equally likely. In the coordinates of
 * CSDI, which is variance-preserving, z_hidden + sigma e is (sqrt(alpha) z + sqrt(1 - alpha) e) /
 * sqrt(alpha) with alpha = 1/(1 + sigma^2). D = x - sigma F is what samplers ask for. An encoder
 * that is trained by this alone would make its latents as small as it can: objective two_stage
 * lets it rest.
 *
 * With the encoder and emission `copy` this is CSDI; over the latents of an autoencoder, with the
 * objective two_stage, it is latent diffusion of time series, TimeLDM (Qian et al. 2024). */
#include "path_network.h"
#include "path_targets.h"
#include <string.h>

/* Cells of the grid that are sampled at once, so that activations stay in the cache. */
enum { CELLS_AT_ONCE = 16384 };

struct path_diffusion {
  struct path_network net;
  int64_t levels, horizon;
  int targets;
  struct ssk_instance *schedule, *sampler;
};

static int init(void *state, ssk_err *err) {
  const struct path_diffusion *self = state;
  if (self->net.embedding % 2 || self->net.time_embedding % 2)
    return ssk_err_set(err, SSK_ERECIPE, "the widths embedding and time_embedding must be even");
  for (int64_t k = 0; k < self->levels; k++) {
    const double sigma = ssk_schedule_sigma(self->schedule, (double)k / ((double)self->levels - 1));
    if (!(sigma > 0 && isfinite(sigma)))
      return ssk_err_set(err, SSK_ERECIPE, "the schedule gives level %d the noise %g", (int)k + 1,
                         sigma);
  }
  return SSK_OK;
}

static int build(void *state, ssk_builder *b, const struct ssk_dims *dims) {
  struct path_diffusion *self = state;
  if (self->targets == TARGETS_FORECAST && self->horizon >= dims->T)
    return ssk_build_fail(b, SSK_ERECIPE,
                          "a horizon of %d steps leaves nothing of training windows of %d",
                          (int)self->horizon, dims->T);
  path_network_build(&self->net, b, dims);
  return ssk_build_code(b);
}

static ssk_real c_noise(double sigma) {
  return (ssk_real)(log(sigma) / 4);
}

/* ---- training -------------------------------------------------------------------------------- */

static ssk_tensor *path_loss(const void *state, const struct ssk_ctx *ctx,
                             const struct ssk_path *path) {
  const struct path_diffusion *self = state;
  ssk_tape *tape = ctx->tape;
  const int T = path->T, P = path->P, d = ctx->dims->d;
  ssk_tensor *left = ssk_empty(tape, SSK_SHAPE(T, P, d)),
             *weight = ssk_empty(tape, SSK_SHAPE(T, P, d)),
             *scale = ssk_empty(tape, SSK_SHAPE(T, P, d)),
             *shift = ssk_empty(tape, SSK_SHAPE(T, P, d)), *level = ssk_empty(tape, SSK_SHAPE(P));
  ssk_tensor *noise = ssk_ctx_normal(ctx, "noise", path->index, SSK_SHAPE(T, P, d));
  if (ssk_tape_code(tape))
    return level;
  ssk_rng rng = ssk_ctx_rng(ctx, "targets", path->index);
  targets_choose((enum targets)self->targets, (int)self->horizon, path, ctx->S, &rng, left, weight);
  ssk_rng levels = ssk_ctx_rng(ctx, "levels", path->index);
  for (int p = 0; p < P; p++) {
    const double k = (double)ssk_rng_below(&levels, (uint64_t)self->levels);
    const double sigma = ssk_schedule_sigma(self->schedule, k / ((double)self->levels - 1));
    level->data[p] = c_noise(sigma);
    for (int t = 0; t < T; t++)
      for (int i = 0; i < d; i++) {
        const int e = (t * P + p) * d + i;
        scale->data[e] = (1 - left->data[e]) * (ssk_real)(1 / sqrt(1 + sigma * sigma));
        shift->data[e] = scale->data[e] * (ssk_real)sigma * noise->data[e];
      }
  }
  ssk_tensor *known = ssk_mul(tape, path->z, left);
  ssk_tensor *noisy = ssk_add(tape, ssk_mul(tape, path->z, scale), shift);
  ssk_tensor *F = path_network_run(&self->net, ctx, known, noisy, left, level, path->u);
  ssk_tensor *error = ssk_mul(tape, ssk_square(tape, ssk_sub(tape, F, noise)), weight);
  return ssk_sum(tape, ssk_sum(tape, error, -1), 0);
}

/* ---- drawing --------------------------------------------------------------------------------- */

/* Some of the paths of a struct ssk_path, n of them; [T, n, .]. */
struct drawing {
  const struct path_diffusion *self;
  ssk_tensor *known, *given, *u;
};

static double level_sigma(const struct ssk_sampling *problem, double u) {
  return ssk_schedule_sigma(((const struct drawing *)problem->state)->self->schedule, u);
}

/* D = x - sigma F of x [n, T*d]; of what is known, the known value. */
static ssk_tensor *denoise(const struct ssk_sampling *problem, const struct ssk_ctx *ctx,
                           ssk_tensor *x, double sigma) {
  const struct drawing *drawing = problem->state;
  ssk_tape *tape = ctx->tape;
  const int n = problem->n, d = ctx->dims->d, T = problem->d / d;
  ssk_tensor *noisy = ssk_empty(tape, SSK_SHAPE(T, n, d));
  ssk_tensor *out = ssk_empty(tape, SSK_SHAPE(n, T * d));
  ssk_tensor *level = ssk_full(tape, SSK_SHAPE(n), c_noise(sigma));
  const ssk_real c_in = (ssk_real)(1 / sqrt(1 + sigma * sigma));
  if (ssk_tape_code(tape))
    return out;
  for (int t = 0; t < T; t++)
    for (int p = 0; p < n; p++)
      for (int i = 0; i < d; i++) {
        const int e = (t * n + p) * d + i;
        noisy->data[e] = (1 - drawing->given->data[e]) * c_in * x->data[(p * T + t) * d + i];
      }
  const ssk_tensor *F = path_network_run(&drawing->self->net, ctx, drawing->known, noisy,
                                         drawing->given, level, drawing->u);
  if (ssk_tape_code(tape))
    return out;
  for (int t = 0; t < T; t++)
    for (int p = 0; p < n; p++)
      for (int i = 0; i < d; i++) {
        const int e = (t * n + p) * d + i, at = (p * T + t) * d + i;
        out->data[at] = drawing->given->data[e] != 0 ? drawing->known->data[e]
                                                     : x->data[at] - (ssk_real)sigma * F->data[e];
      }
  return out;
}

/* Paths [from, from + n) of x [T, P, w]. */
static ssk_tensor *some(ssk_tape *tape, const ssk_tensor *x, int from, int n) {
  if (!x)
    return NULL;
  const int T = x->shape[0], P = x->shape[1], w = x->shape[2];
  ssk_tensor *out = ssk_empty(tape, SSK_SHAPE(T, n, w));
  for (int t = 0; out->count && t < T; t++)
    memcpy(out->data + (size_t)(t * n * w), x->data + (size_t)((t * P + from) * w),
           (size_t)(n * w) * sizeof *out->data);
  return out;
}

static void draw_some(const struct path_diffusion *self, const struct ssk_ctx *ctx,
                      const struct ssk_path *path, int from, int n, ssk_tensor *z) {
  ssk_tape *tape = ctx->tape;
  const int T = path->T, P = path->P, d = ctx->dims->d;
  const struct drawing drawing = {.self = self,
                                  .known = some(tape, path->z, from, n),
                                  .given = some(tape, path->known, from, n),
                                  .u = some(tape, path->u, from, n)};
  const struct ssk_sampling problem = {.size = sizeof problem,
                                       .n = n,
                                       .d = T * d,
                                       .sigma_min = ssk_schedule_sigma(self->schedule, 0),
                                       .sigma_max = ssk_schedule_sigma(self->schedule, 1),
                                       .sigma_data = 1,
                                       .sigma = level_sigma,
                                       .levels = (int)self->levels,
                                       .denoise = denoise,
                                       .state = &drawing,
                                       .index = path->index + (uint32_t)from};
  const ssk_tensor *x = ssk_sampler_run(self->sampler, ctx, &problem);
  if (ssk_tape_code(tape))
    return;
  for (int t = 0; t < T; t++)
    for (int p = 0; p < n; p++)
      for (int i = 0; i < d; i++) {
        const int e = (t * P + from + p) * d + i;
        z->data[e] = path->known->data[e] != 0 ? path->z->data[e] : x->data[(p * T + t) * d + i];
      }
}

static ssk_tensor *path_sample(const void *state, const struct ssk_ctx *ctx,
                               const struct ssk_path *path) {
  const int cells = path->T * ctx->dims->d, most = CELLS_AT_ONCE / cells;
  ssk_tensor *z = ssk_empty(ctx->tape, SSK_SHAPE(path->T, path->P, ctx->dims->d));
  const size_t mark = ssk_tape_mark(ctx->tape);
  for (int from = 0, n; from < path->P && !ssk_tape_code(ctx->tape); from += n) {
    n = path->P - from < most ? path->P - from : most > 1 ? most : 1;
    draw_some(state, ctx, path, from, n, z);
    ssk_tape_rewind(ctx->tape, mark);
  }
  return z;
}

static int evaluations(const void *state) {
  const struct path_diffusion *self = state;
  return ssk_sampler_evaluations(self->sampler, (int)self->levels);
}

/* ---- the component --------------------------------------------------------------------------- */

/* A row of the network's, a member of a member. */
#define NET_INT(member, key, def, lo, hi, u, text)                                                 \
  {                                                                                                \
    .name = key, .type = SSK_T_INT,                                                                \
    .offset = SSK_MEMBER_(struct path_diffusion, net.member, int64_t), .default_text = def,        \
    .min = lo, .max = hi, .unit = u, .doc = text                                                   \
  }
#define NET_MIXER(member, key, text)                                                               \
  {                                                                                                \
    .name = key, .type = SSK_T_COMPONENT,                                                          \
    .offset = SSK_MEMBER_(struct path_diffusion, net.member, struct ssk_instance *),               \
    .default_text = "transformer", .kind = SSK_MIXER, .doc = text                                  \
  }

static const struct ssk_param params[] = {
    SSK_PARAM_INT(struct path_diffusion, levels, "50", 2, 4096, "levels", "K: noise levels."),
    SSK_PARAM_COMPONENT(struct path_diffusion, schedule, SSK_SCHEDULE, "vp_quadratic",
                        "The levels are sigma(u) at K equally spaced u."),
    SSK_PARAM_COMPONENT(struct path_diffusion, sampler, SSK_SAMPLER, "ancestral",
                        "How paths are drawn; ancestral, on all levels, is CSDI's."),
    SSK_PARAM_ENUM(struct path_diffusion, targets, "random", targets_names,
                   "What a training step hides of a path: random: each known entry by a chance "
                   "that is uniform in [0, 1] for the path; mix: that, or, for half of the paths, "
                   "what is missing in another series of the shard (CSDI's historical strategy, "
                   "where gaps are not by chance); forecast: the last `horizon` steps."),
    SSK_PARAM_INT(struct path_diffusion, horizon, "1", 1, 1e6, "steps",
                  "Of the strategy forecast: steps at the end of the window that are hidden."),
    NET_INT(channels, "channels", "32", 1, 1024, "units", "C: width of the residual stack."),
    NET_INT(layers, "layers", "4", 1, PATH_MAX_LAYERS, "layers", "Residual layers."),
    NET_INT(embedding, "embedding", "128", 2, 1024, "units",
            "Width of the noise level's embedding (even)."),
    NET_INT(time_embedding, "time_embedding", "128", 2, 1024, "units",
            "Width of the sinusoidal embedding of the step (even)."),
    NET_INT(feature_embedding, "feature_embedding", "16", 1, 1024, "units",
            "Width of the learned embedding of a feature."),
    {.name = "highest_frequency",
     .type = SSK_T_REAL,
     .offset = SSK_MEMBER_(struct path_diffusion, net.highest_frequency, double),
     .default_text = "32",
     .min = 1,
     .max = 1e5,
     .unit = "1",
     .doc = "Of the sines and cosines of log(sigma)/4 in the noise embedding, as of the denoiser "
            "csdi."},
    NET_MIXER(time, "time", "Mixes over the steps."),
    NET_MIXER(feature, "feature", "Mixes over the features; not used where there is one."),
    SSK_PARAM_END,
};

static const struct ssk_transition_ops ops = {.size = sizeof ops,
                                              .build = build,
                                              .evaluations = evaluations,
                                              .path_loss = path_loss,
                                              .path_sample = path_sample};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_TRANSITION,
    .name = "path_diffusion",
    .summary = "CSDI: a conditional diffusion of whole paths, given what is known of them",
    .doc = "A prior of z_{1:T} at once, instead of step by step; model.initial is not used. In "
           "training a part of what is known is hidden, and the loss is\n"
           "    || e - F(z_known, c_in (z_hidden + sigma_k e), sigma_k) ||^2,\n"
           "the mean over the hidden entries at a level k drawn for each path; a forecast or an "
           "imputation draws what is not known given what is. F is CSDI's network: a gated "
           "residual stack on the grid of steps and features, with attention along both "
           "(Tashiro, Song, Song and Ermon 2021, section 4.3 and appendix E). The loss is no "
           "bound: such a model has neither `elbo` nor `iwae`, and its figure in the log is the "
           "loss.\n"
           "\n"
           "With model.encoder: copy and model.emission: copy this is CSDI, a model of the "
           "observations. Over the latents of a trained encoder, with objective: two_stage, it is "
           "TimeLDM's latent diffusion (Qian et al. 2024).",
    .self_size = sizeof(struct path_diffusion),
    .params = params,
    .ops = &ops,
    .init = init,
};

SSK_PLUGIN(&component)
