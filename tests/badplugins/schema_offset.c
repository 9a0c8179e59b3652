/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schema_offset.c - a parameter whose member lies outside of the struct. */
#include "sound.h"

SOUND_ROWS(SOUND_ROW, {.name = "beyond",
                       .type = SSK_T_INT,
                       .offset = sizeof(struct sound),
                       .default_text = "1",
                       .min = 0,
                       .max = 9,
                       .doc = "Lies behind the struct."});
static const struct ssk_transition_ops ops = {SOUND_OPS};
static const struct ssk_component component = {SOUND_COMPONENT("schema_offset")};
SSK_PLUGIN(&component)
