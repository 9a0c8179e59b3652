/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schema_duplicate.c - two parameters of one name. */
#include "sound.h"

SOUND_ROWS(SOUND_ROW, SOUND_ROW);
static const struct ssk_transition_ops ops = {SOUND_OPS};
static const struct ssk_component component = {SOUND_COMPONENT("schema_duplicate")};
SSK_PLUGIN(&component)
