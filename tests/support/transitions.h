/* SPDX-License-Identifier: GPL-3.0-or-later */
/* transitions.h - for tests: a transition by itself, with weights that are known by name. */
#ifndef TESTS_TRANSITIONS_H
#define TESTS_TRANSITIONS_H

#include "model/model.h"
#include "support/instances.h"
#include "support/rig.h"

struct alone {
  struct kit kit;
  struct rig rig;
  struct ssk_instance *transition;
};

/* A pass of n steps of one path, with weights as rig_start makes them. */
static inline void alone_start(struct alone *s, struct ssk_dims dims, const char *name,
                               const char *yaml, int n, double scatter) {
  kit_open(&s->kit);
  s->transition = kit_make(&s->kit, SSK_TRANSITION, name, yaml);
  s->transition->path = "model.transition"; /* random numbers are named by the path */
  const struct ssk_transition_ops *ops = s->transition->component->ops;
  rig_open(&s->rig, dims);
  cr_assert_eq(ops->build(s->transition->self, &s->rig.b, &s->rig.dims), SSK_OK);
  rig_start(&s->rig, n, scatter);
  ssk_tape_record(s->rig.ctx.tape, false);
}

/* Weights at their starts plus `scatter` times normals that are a weight's own, by its name. */
static inline void alone_open(struct alone *s, struct ssk_dims dims, const char *name,
                              const char *yaml, double scatter) {
  alone_start(s, dims, name, yaml, 1, 0);
  const struct ssk_layout *layout = &s->rig.b.layout;
  for (int k = 0; k < layout->n; k++) {
    ssk_rng rng = ssk_rng_open(5, layout->slice[k].name, "scatter", 0, 0);
    for (size_t e = 0; e < layout->slice[k].count; e++)
      s->rig.weights.values[layout->slice[k].offset + e] +=
          (ssk_real)(scatter * ssk_rng_normal(&rng));
  }
}

static inline void alone_close(struct alone *s) {
  rig_close(&s->rig);
  kit_close(&s->kit);
}

/* The values of the weight with this name, without the rig's scope. */
static inline ssk_real *alone_weight(struct alone *s, const char *name) {
  const struct ssk_layout *layout = &s->rig.b.layout;
  for (int k = 0; k < layout->n; k++)
    if (!strcmp(layout->slice[k].name + strlen("test."), name))
      return s->rig.weights.values + layout->slice[k].offset;
  cr_assert_fail("no weight '%s'", name);
  abort();
}

/* Begin a pass with n rows: pasts of their own, and covariates and time features where the
 * dimensions have them. The targets z are standard normals. */
static inline struct ssk_rows alone_rows(struct alone *s, int n, uint32_t index) {
  const struct ssk_dims *dims = &s->rig.dims;
  struct ssk_ctx *ctx = &s->rig.ctx;
  rig_begin(&s->rig);
  struct ssk_rows rows = {.size = sizeof rows,
                          .n = n,
                          .past = ssk_ctx_normal(ctx, "past", 0, SSK_SHAPE(n, dims->j * dims->d)),
                          .z = ssk_ctx_normal(ctx, "z", 0, SSK_SHAPE(n, dims->d)),
                          .index = index};
  if (dims->V)
    rows.u = ssk_ctx_normal(ctx, "u", 0, SSK_SHAPE(n, dims->V));
  if (dims->F)
    rows.time = ssk_ctx_normal(ctx, "time", 0, SSK_SHAPE(n, dims->F));
  return rows;
}

#endif
