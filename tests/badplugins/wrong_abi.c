/* SPDX-License-Identifier: GPL-3.0-or-later */
/* wrong_abi.c - built for another version of the plugin interface. */
#include "sound.h"

SOUND_ROWS(SOUND_ROW);
static const struct ssk_transition_ops ops = {SOUND_OPS};
static const struct ssk_component component = {SOUND_COMPONENT("wrong_abi")};
ENTRY_WITH_MAGIC(SOUND_MAGIC, .abi = 99)
