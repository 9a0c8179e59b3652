/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schema_choices.c - an enumeration without choices. */
#include "sound.h"

struct choosy {
  int mode;
};
SOUND_ROWS(SSK_PARAM_ENUM(struct choosy, mode, "fast", NULL, "How it is done."));
static const struct ssk_transition_ops ops = {SOUND_OPS};
static const struct ssk_component component = {SOUND_COMPONENT("schema_choices"),
                                               .self_size = sizeof(struct choosy)};
SSK_PLUGIN(&component)
