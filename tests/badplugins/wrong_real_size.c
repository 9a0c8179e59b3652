/* SPDX-License-Identifier: GPL-3.0-or-later */
/* wrong_real_size.c - built for another precision than the kernel's. */
#include "sound.h"

SOUND_ROWS(SOUND_ROW);
static const struct ssk_transition_ops ops = {SOUND_OPS};
static const struct ssk_component component = {SOUND_COMPONENT("wrong_real_size")};
ENTRY_WITH_MAGIC(SOUND_MAGIC, .real_size = 12 - sizeof(ssk_real))
