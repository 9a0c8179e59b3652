/* SPDX-License-Identifier: GPL-3.0-or-later */
/* clock.h - time that has passed. */
#ifndef SSK_CORE_CLOCK_H
#define SSK_CORE_CLOCK_H

/* Seconds of a clock that never jumps. */
double ssk_clock(void);

#endif
