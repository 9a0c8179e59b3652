/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sound.h - a transition with nothing wrong (z_t ~ N(z_{t-1}, scale^2)), which each file of this
 * folder spoils in one way: by overriding members of the initialisers below. */
#ifndef BADPLUGINS_SOUND_H
#define BADPLUGINS_SOUND_H

#include <math.h>
#include <sskit/plugin.h>

struct sound {
  double scale;
};

static inline int sound_build(void *self, ssk_builder *b, const struct ssk_dims *dims) {
  (void)self, (void)dims;
  return ssk_build_code(b);
}

static inline struct ssk_gaussian sound_moments(const void *self, const struct ssk_ctx *ctx,
                                                const struct ssk_rows *rows) {
  const struct sound *s = self;
  const int d = ctx->dims->d;
  return (struct ssk_gaussian){
      .mean = ssk_cols(ctx->tape, rows->past, ssk_width(rows->past) - d, d),
      .logvar = ssk_full(ctx->tape, SSK_SHAPE(rows->n, d), (ssk_real)(2 * log(s->scale)))};
}

#define SOUND_ROW                                                                                  \
  SSK_PARAM_REAL(struct sound, scale, "0.1", 1e-6, 1e6, NULL, "Deviation of a step.")
#define SOUND_ROWS(...) static const struct ssk_param rows[] = {__VA_ARGS__, SSK_PARAM_END}

/* The initialisers, as members, so that later members may override them. */
#define SOUND_OPS                                                                                  \
  .size = sizeof(struct ssk_transition_ops), .build = sound_build, .moments = sound_moments
#define SOUND_COMPONENT(component_name)                                                            \
  .size = sizeof(struct ssk_component), .kind = SSK_TRANSITION, .name = component_name,            \
  .summary = "for tests", .doc = "A random walk, for tests.", .self_size = sizeof(struct sound),   \
  .params = rows, .ops = &ops
#define SOUND_MAGIC                                                                                \
  .magic = SSK_MAGIC, .size = sizeof(struct ssk_magic), .abi = SSK_ABI,                            \
  .real_size = sizeof(ssk_real), .version = SSK_KERNEL_VERSION

/* The entry function with a magic block of one's own. */
#define ENTRY_WITH_MAGIC(...)                                                                      \
  SSK_API const struct ssk_plugin *ssk_plugin_entry(void);                                         \
  const struct ssk_plugin *ssk_plugin_entry(void) {                                                \
    static const struct ssk_component *const components[] = {&component};                          \
    static const struct ssk_plugin plugin = {                                                      \
        .magic = {__VA_ARGS__}, .n_components = 1, .components = components};                      \
    return &plugin;                                                                                \
  }

/* Overriding a member is what these files are for. */
#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Woverride-init"
#endif

#endif
