/* SPDX-License-Identifier: GPL-3.0-or-later */
/* undefined_symbol.c - it calls a function that nobody defines. */
#include "sound.h"

int no_such_function(void);

static int build(void *self, ssk_builder *b, const struct ssk_dims *dims) {
  return no_such_function() + sound_build(self, b, dims);
}

SOUND_ROWS(SOUND_ROW);
static const struct ssk_transition_ops ops = {SOUND_OPS, .build = build};
static const struct ssk_component component = {SOUND_COMPONENT("undefined_symbol")};
SSK_PLUGIN(&component)
