/* SPDX-License-Identifier: GPL-3.0-or-later */
/* no_density.c - a transition that can neither be trained nor sampled. */
#include "sound.h"

SOUND_ROWS(SOUND_ROW);
static const struct ssk_transition_ops ops = {SOUND_OPS, .moments = NULL};
static const struct ssk_component component = {SOUND_COMPONENT("no_density")};
SSK_PLUGIN(&component)
