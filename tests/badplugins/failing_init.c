/* SPDX-License-Identifier: GPL-3.0-or-later */
/* failing_init.c - its init refuses the parameters. */
#include "sound.h"

static int refuse(void *self, ssk_err *err) {
  const struct sound *s = self;
  return ssk_err_set(err, SSK_EPLUGIN, "a scale of %g does not suit it", s->scale);
}

SOUND_ROWS(SOUND_ROW);
static const struct ssk_transition_ops ops = {SOUND_OPS};
static const struct ssk_component component = {SOUND_COMPONENT("failing_init"), .init = refuse};
SSK_PLUGIN(&component)
