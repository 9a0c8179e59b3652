/* SPDX-License-Identifier: GPL-3.0-or-later */
/* half_summary.c - a summary that says how wide its state is, but cannot run from one. */
#include "sound.h"

SOUND_ROWS(SOUND_ROW);

static int build(void *self, ssk_builder *b, const struct ssk_dims *dims, int in, int *out) {
  *out = in;
  return sound_build(self, b, dims);
}
static ssk_tensor *run(const void *self, const struct ssk_ctx *ctx, ssk_tensor *x) {
  (void)self, (void)ctx;
  return x;
}
static int state_width(const void *self) {
  (void)self;
  return 1;
}

static const struct ssk_summary_ops ops = {
    .size = sizeof ops, .build = build, .run = run, .state_width = state_width};
static const struct ssk_component component = {SOUND_COMPONENT("half_summary"),
                                               .kind = SSK_SUMMARY};
SSK_PLUGIN(&component)
