/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sweeps.h - a sweep that trains nothing: axes from text, and defaults for the rest. */
#ifndef SSK_TESTS_SWEEPS_H
#define SSK_TESTS_SWEEPS_H

#include "sweep/recipe.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

struct sweep_rig {
  struct ssk_sweep sweep;
  double seeds[2];
  char identity[16];
  ssk_err *err;
};

static inline void sweep_rig_open(struct sweep_rig *rig, const char *axes) {
  static const char name[] = "test";
  char text[1024];
  *rig = (struct sweep_rig){.err = ssk_err_new(), .seeds = {1, 2}, .identity = "the sweep"};
  snprintf(text, sizeof text, "axes: %s\n", axes);
  struct ssk_sweep *s = &rig->sweep;
  s->name = name;
  s->better = -1;
  s->trials = 20;
  s->identity = rig->identity;
  s->sweep = (struct ssk_sweep_section){
      .metric = "loss",
      .trials = 20,
      .seeds = {.n = 1, .items = rig->seeds},
      .sampler = {.use = SSK_SAMPLE_RANDOM, .seed = 1, .startup = 20, .candidates = 24},
      .prune = {.use = 1, .min = 10, .factor = 3},
      .lease = 60,
      .losses = 3};
  s->tree = ssk_tree_parse("axes", text, strlen(text), 0, NULL, NULL, rig->err);
  cr_assert(s->tree);
  cr_assert_eq(ssk_axes_read(ssk_node_get(s->tree->root, "axes"), &s->arena, &s->axes, rig->err),
               SSK_OK, "%s", ssk_err_message(rig->err, 0));
}

static inline void sweep_rig_close(struct sweep_rig *rig) {
  ssk_arena_free(&rig->sweep.arena);
  ssk_tree_free(rig->sweep.tree);
  ssk_err_free(rig->err);
}

#endif
