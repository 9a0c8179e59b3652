/* SPDX-License-Identifier: GPL-3.0-or-later */
/* duplicate_one.c - one of two plugins that provide a transition of the same name. */
#include "sound.h"

SOUND_ROWS(SOUND_ROW);
static const struct ssk_transition_ops ops = {SOUND_OPS};
static const struct ssk_component component = {SOUND_COMPONENT("duplicate")};
SSK_PLUGIN(&component)
