/* SPDX-License-Identifier: GPL-3.0-or-later */
/* half_state.c - a transition with a state that starts, but does not advance. */
#include "sound.h"

SOUND_ROWS(SOUND_ROW);

static int state_width(const void *self) {
  (void)self;
  return 1;
}
static ssk_tensor *start(const void *self, const struct ssk_ctx *ctx, int n) {
  (void)self;
  return ssk_full(ctx->tape, SSK_SHAPE(n, 1), 0);
}

static const struct ssk_transition_ops ops = {SOUND_OPS, .state_width = state_width,
                                              .start = start};
static const struct ssk_component component = {SOUND_COMPONENT("half_state")};
SSK_PLUGIN(&component)
