/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bad_name.c - a name that recipes could not write. */
#include "sound.h"

SOUND_ROWS(SOUND_ROW);
static const struct ssk_transition_ops ops = {SOUND_OPS};
static const struct ssk_component component = {SOUND_COMPONENT("Bad-Name")};
SSK_PLUGIN(&component)
