/* SPDX-License-Identifier: GPL-3.0-or-later */
/* wrong_component_size.c - the component descriptor has another size than the kernel's. */
#include "sound.h"

SOUND_ROWS(SOUND_ROW);
static const struct ssk_transition_ops ops = {SOUND_OPS};
static const struct ssk_component component = {SOUND_COMPONENT("wrong_component_size"), .size = 8};
SSK_PLUGIN(&component)
