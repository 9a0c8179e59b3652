/* SPDX-License-Identifier: GPL-3.0-or-later */
/* null_slot.c - a required slot is NULL. */
#include "sound.h"

SOUND_ROWS(SOUND_ROW);
static const struct ssk_transition_ops ops = {SOUND_OPS, .build = NULL};
static const struct ssk_component component = {SOUND_COMPONENT("null_slot")};
SSK_PLUGIN(&component)
