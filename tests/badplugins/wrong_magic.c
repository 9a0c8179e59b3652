/* SPDX-License-Identifier: GPL-3.0-or-later */
/* wrong_magic.c - the entry function returns something that is not a plugin. */
#include "sound.h"

SOUND_ROWS(SOUND_ROW);
static const struct ssk_transition_ops ops = {SOUND_OPS};
static const struct ssk_component component = {SOUND_COMPONENT("wrong_magic")};
ENTRY_WITH_MAGIC(SOUND_MAGIC, .magic = 0x12345678)
