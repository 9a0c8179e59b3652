/* SPDX-License-Identifier: GPL-3.0-or-later */
/* example.c - the network of a diffusion: from a noised latent, its noise level and what the step
 * is conditioned on, the raw output F of EDM's preconditioning (Karras et al. 2022).
 *
 *     F = W silu(... [noised, sines and cosines of log(sigma)/4, past, u, time]) + linear
 *
 * Row n*M + m of the noised latents belongs to row n of the conditions. */
#include <sskit/plugin.h>

struct own {
  int64_t hidden, layers, embedding; /* parameters, filled by the kernel */
  struct ssk_head head;              /* weights, declared in `build` */
};

static int build(void *self, ssk_builder *b, const struct ssk_dims *dims) {
  struct own *s = self;
  const int conditions = dims->j * dims->d + dims->V + dims->F;
  s->head = ssk_head_build(b, "head", dims->d + (int)s->embedding + conditions, (int)s->hidden,
                           (int)s->layers, dims->d, true);
  return ssk_build_code(b);
}

static ssk_tensor *run(const void *self, const struct ssk_ctx *ctx, const struct ssk_noisy *in) {
  const struct own *s = self;
  ssk_tape *tape = ctx->tape;
  ssk_tensor *parts[3] = {in->cond.past};
  int n = 1;
  if (in->cond.u)
    parts[n++] = in->cond.u;
  if (in->cond.time)
    parts[n++] = in->cond.time;
  ssk_tensor *conditions = ssk_repeat(tape, ssk_concat(tape, n, parts, -1), 0, in->M);
  ssk_tensor *level = ssk_level_features(tape, in->c_noise, (int)s->embedding, 32);
  ssk_tensor *c = ssk_concat(tape, 3, (ssk_tensor *[]){in->noisy, level, conditions}, -1);
  return ssk_head_run(ctx, &s->head, c);
}

static int init(void *self, ssk_err *err) {
  const struct own *s = self;
  return s->embedding % 2 == 0
             ? SSK_OK
             : ssk_err_set(err, SSK_ERECIPE, "embedding must be even, not %d", (int)s->embedding);
}

static const struct ssk_param params[] = {
    SSK_PARAM_INT(struct own, hidden, "32", 1, 4096, "units", "Width of the network."),
    SSK_PARAM_INT(struct own, layers, "2", 0, 8, NULL, "Its hidden layers."),
    SSK_PARAM_INT(struct own, embedding, "16", 4, 1024, "units",
                  "Sines and cosines of the noise level; even."),
    SSK_PARAM_END};

static const struct ssk_denoiser_ops ops = {.size = sizeof ops, .build = build, .run = run};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_DENOISER,
    .name = "example",
    .summary = "a network on noised latent, level and conditions side by side",
    .doc = "SiLU layers beside a linear path, on [noised, features of the level, conditions].",
    .self_size = sizeof(struct own),
    .params = params,
    .ops = &ops,
    .init = init,
};

SSK_PLUGIN(&component)
