/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cpu.h - does this processor have the instructions that the program was compiled for? */
#ifndef SSK_CORE_CPU_H
#define SSK_CORE_CPU_H

#include <sskit/err.h>

/* SSK_OK, or a description in err: without it the program would be ended by the first instruction
 * that is missing. Compiled for the base instruction set. */
int ssk_cpu_check(ssk_err *err);

#endif
