/* SPDX-License-Identifier: GPL-3.0-or-later */
/* clock.h - time that has passed. */
#ifndef SSK_CORE_CLOCK_H
#define SSK_CORE_CLOCK_H

/* Seconds of a clock that never jumps. */
double ssk_clock(void);
/* Seconds that the calling thread, or all threads of the process, spent on a processor. A call
 * costs more than half a microsecond, where ssk_clock costs 20 ns. */
double ssk_thread_clock(void);
double ssk_process_clock(void);

#endif
