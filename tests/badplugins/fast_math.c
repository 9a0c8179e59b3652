/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fast_math.c - on being loaded it switches denormals off, as start-up code of -ffast-math does. */
#include "sound.h"

#if defined(__SSE__)
#include <xmmintrin.h>

__attribute__((constructor)) static void switch_denormals_off(void) {
  _mm_setcsr(_mm_getcsr() | 0x8040); /* flush to zero, denormals are zero */
}
#endif

SOUND_ROWS(SOUND_ROW);
static const struct ssk_transition_ops ops = {SOUND_OPS};
static const struct ssk_component component = {SOUND_COMPONENT("fast_math")};
SSK_PLUGIN(&component)
