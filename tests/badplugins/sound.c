/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sound.c - nothing is wrong with it: it must be accepted among the broken ones. */
#include "sound.h"

SOUND_ROWS(SOUND_ROW);
static const struct ssk_transition_ops ops = {SOUND_OPS};
static const struct ssk_component component = {SOUND_COMPONENT("sound")};
SSK_PLUGIN(&component)
