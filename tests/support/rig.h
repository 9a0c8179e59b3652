/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rig.h - for tests: a pass with weights, without data and the rest of a model. Declare weights (or
 * build components) between rig_open and rig_start; begin a pass with rig_begin. */
#ifndef TESTS_RIG_H
#define TESTS_RIG_H

#include "core/arena.h"
#include "model/store.h"
#include <criterion/criterion.h>
#include <sskit/plugin.h>
#include <stdlib.h>
#include <string.h>

struct rig {
  struct ssk_arena arena;
  ssk_err *err;
  ssk_builder b;
  struct ssk_weights weights;
  struct ssk_dims dims;
  struct ssk_ctx ctx;
};

/* The rig must stay where it is until rig_close. */
static inline void rig_open(struct rig *rig, struct ssk_dims dims) {
  *rig = (struct rig){.err = ssk_err_new(), .dims = dims};
  rig->dims.size = sizeof rig->dims;
  rig->b = (ssk_builder){.arena = &rig->arena, .err = rig->err};
  ssk_scope(&rig->b, "test");
}

/* Weights at their initial values plus `scatter` times normals: zeros would hide errors. The pass
 * is one of training with n steps of one path. */
static inline void rig_start(struct rig *rig, int n, double scatter) {
  const struct ssk_layout *layout = &rig->b.layout;
  cr_assert_eq(ssk_build_code(&rig->b), SSK_OK, "%s", ssk_err_message(rig->err, 0));
  rig->weights =
      (struct ssk_weights){.layout = layout, .values = calloc(layout->total + 1, sizeof(ssk_real))};
  rig->ctx = (struct ssk_ctx){.size = sizeof rig->ctx,
                              .tape = ssk_tape_new(rig->err),
                              .dims = &rig->dims,
                              .training = true,
                              .share = 1,
                              .T = n,
                              .P = 1,
                              .seed = 2,
                              .path = "t",
                              .weights = &rig->weights,
                              .gradient = calloc(layout->total + 1, sizeof(ssk_real)),
                              .leaves = calloc((size_t)layout->n + 1, sizeof(ssk_tensor))};
  ssk_layout_initialise(layout, 7, rig->weights.values);
  ssk_rng rng = ssk_rng_open(3, "scatter", NULL, 0, 0);
  for (int k = 0; k < layout->n; k++)
    for (size_t i = 0; i < layout->slice[k].count; i++)
      if (!(layout->slice[k].flags & SSK_STATISTIC))
        rig->weights.values[layout->slice[k].offset + i] +=
            (ssk_real)(scatter * ssk_rng_normal(&rng));
}

static inline void rig_begin(struct rig *rig) {
  ssk_tape_reset(rig->ctx.tape);
  memset(rig->ctx.leaves, 0, (size_t)rig->b.layout.n * sizeof *rig->ctx.leaves);
}

static inline void rig_fine(const struct rig *rig) {
  cr_assert_eq(ssk_tape_code(rig->ctx.tape), SSK_OK, "%s", ssk_err_message(rig->err, 0));
}

static inline void rig_close(struct rig *rig) {
  ssk_tape_free(rig->ctx.tape);
  free(rig->ctx.leaves);
  free(rig->ctx.gradient);
  free(rig->weights.values);
  ssk_layout_free(&rig->b.layout);
  ssk_arena_free(&rig->arena);
  ssk_err_free(rig->err);
}

#endif
