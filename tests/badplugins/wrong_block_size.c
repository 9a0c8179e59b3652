/* SPDX-License-Identifier: GPL-3.0-or-later */
/* wrong_block_size.c - built for a kernel whose magic block had another size. */
#include "sound.h"

SOUND_ROWS(SOUND_ROW);
static const struct ssk_transition_ops ops = {SOUND_OPS};
static const struct ssk_component component = {SOUND_COMPONENT("wrong_block_size")};
ENTRY_WITH_MAGIC(SOUND_MAGIC, .size = 40)
