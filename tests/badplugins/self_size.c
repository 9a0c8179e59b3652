/* SPDX-License-Identifier: GPL-3.0-or-later */
/* self_size.c - the size of the component's struct is missing. */
#include "sound.h"

SOUND_ROWS(SOUND_ROW);
static const struct ssk_transition_ops ops = {SOUND_OPS};
static const struct ssk_component component = {SOUND_COMPONENT("self_size"), .self_size = 0};
SSK_PLUGIN(&component)
