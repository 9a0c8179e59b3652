/* SPDX-License-Identifier: GPL-3.0-or-later */
/* component.h - what a plugin exports: the magic block and its components. Part of plugin.h. */
#ifndef SSKIT_COMPONENT_H
#define SSKIT_COMPONENT_H

#ifdef __FAST_MATH__
#error "plugins must not be built with -ffast-math: it changes the arithmetic of the whole process"
#endif

#include <sskit/err.h>
#include <sskit/params.h>
#include <sskit/tape.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the magic block ------------------------------------------------------------------------ */

#define SSK_MAGIC          0x54494b53u /* "SKIT", little endian */
#define SSK_ABI            11u /* raised with every change of a public struct; must be equal */
#define SSK_KERNEL_VERSION "0.1.0"

struct ssk_magic {
  uint32_t magic;     /* SSK_MAGIC */
  uint32_t size;      /* sizeof(struct ssk_magic) */
  uint32_t abi;       /* SSK_ABI of the headers it was built with */
  uint32_t real_size; /* sizeof(ssk_real): 4, or 8 for a double build */
  char version[16];   /* SSK_KERNEL_VERSION of the headers: informative */
};

/* ---- components ----------------------------------------------------------------------------- */

struct ssk_component {
  size_t size; /* sizeof(struct ssk_component) */
  enum ssk_kind kind;
  const char *name;    /* what recipes write after `use:`; lower case, digits, underscores */
  const char *summary; /* one line, for lists */
  const char *doc;     /* paragraphs, for `sskit describe`: formulas with their source */
  size_t self_size;    /* of the component's struct */
  const struct ssk_param *params; /* rows, ended by SSK_PARAM_END; NULL: no parameters */
  const void *ops;                /* the ops struct of the kind */
  /* [optional] After the parameters are filled: check combinations, allocate. SSK_OK, or describe
   * the reason in err and return a code. On failure `done` is not called. */
  int (*init)(void *self, ssk_err *err);
  /* [optional] Free what init (or open) allocated. */
  void (*done)(void *self);
};

struct ssk_plugin {
  struct ssk_magic magic; /* first, so that it can be read whatever follows */
  uint32_t n_components;
  const struct ssk_component *const *components;
};

typedef const struct ssk_plugin *ssk_plugin_entry_fn(void);

/* Define the entry function of a plugin with these components: SSK_PLUGIN(&laplace, &cauchy). */
#define SSK_PLUGIN(...)                                                                            \
  SSK_API const struct ssk_plugin *ssk_plugin_entry(void);                                         \
  const struct ssk_plugin *ssk_plugin_entry(void) {                                                \
    static const struct ssk_component *const components[] = {__VA_ARGS__};                         \
    static const struct ssk_plugin plugin = {.magic = {.magic = SSK_MAGIC,                         \
                                                       .size = sizeof(struct ssk_magic),           \
                                                       .abi = SSK_ABI,                             \
                                                       .real_size = sizeof(ssk_real),              \
                                                       .version = SSK_KERNEL_VERSION},             \
                                             .n_components =                                       \
                                                 sizeof components / sizeof components[0],         \
                                             .components = components};                            \
    return &plugin;                                                                                \
  }

/* A component with its parameters filled, at its place in a recipe. */
struct ssk_instance {
  const struct ssk_component *component;
  void *self;       /* the component's struct */
  const char *path; /* where in the recipe: "model.transition.denoiser" */
};

#ifdef __cplusplus
}
#endif
#endif
