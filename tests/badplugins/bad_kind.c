/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bad_kind.c - a kind that does not exist. */
#include "sound.h"

SOUND_ROWS(SOUND_ROW);
static const struct ssk_transition_ops ops = {SOUND_OPS};
static const struct ssk_component component = {SOUND_COMPONENT("bad_kind"), .kind = SSK_KIND_COUNT};
SSK_PLUGIN(&component)
