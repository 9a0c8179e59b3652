/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schema_default.c - a parameter whose default is out of its own range. */
#include "sound.h"

SOUND_ROWS(SSK_PARAM_REAL(struct sound, scale, "-1", 0, 10, NULL, "Deviation of a step."));
static const struct ssk_transition_ops ops = {SOUND_OPS};
static const struct ssk_component component = {SOUND_COMPONENT("schema_default")};
SSK_PLUGIN(&component)
