/* SPDX-License-Identifier: GPL-3.0-or-later */
/* wrong_ops_size.c - the size of the ops struct was not filled in. */
#include "sound.h"

SOUND_ROWS(SOUND_ROW);
static const struct ssk_transition_ops ops = {SOUND_OPS, .size = 0};
static const struct ssk_component component = {SOUND_COMPONENT("wrong_ops_size")};
SSK_PLUGIN(&component)
