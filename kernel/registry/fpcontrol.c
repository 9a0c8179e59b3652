/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fpcontrol.c - reading and writing the control word of the floating-point unit.
 *
 * A shared object that was linked with -ffast-math may bring start-up code (crtfastmath.o) that
 * switches denormals off for the whole process. <fenv.h> does not show these bits, so the registers
 * are read directly; on other processors there is nothing to compare. */
#include "registry/fpcontrol.h"

#if defined(__x86_64__) || (defined(__i386__) && defined(__SSE__))
#include <xmmintrin.h>

#define MXCSR_STATUS 0x3fu /* the exception flags: no part of the control word */

struct ssk_fpcontrol ssk_fpcontrol_get(void) {
  uint16_t x87;
  __asm__ volatile("fnstcw %0" : "=m"(x87));
  return (struct ssk_fpcontrol){.vector = _mm_getcsr() & ~MXCSR_STATUS, .x87 = x87};
}

void ssk_fpcontrol_set(struct ssk_fpcontrol control) {
  uint16_t x87 = (uint16_t)control.x87;
  _mm_setcsr(control.vector | (_mm_getcsr() & MXCSR_STATUS));
  __asm__ volatile("fldcw %0" : : "m"(x87));
}

#elif defined(__aarch64__)

struct ssk_fpcontrol ssk_fpcontrol_get(void) {
  uint64_t fpcr;
  __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
  return (struct ssk_fpcontrol){.vector = (uint32_t)fpcr};
}

void ssk_fpcontrol_set(struct ssk_fpcontrol control) {
  uint64_t fpcr = control.vector;
  __asm__ volatile("msr fpcr, %0" : : "r"(fpcr));
}

#else

struct ssk_fpcontrol ssk_fpcontrol_get(void) {
  return (struct ssk_fpcontrol){0};
}
void ssk_fpcontrol_set(struct ssk_fpcontrol control) {
  (void)control;
}

#endif

bool ssk_fpcontrol_equal(struct ssk_fpcontrol a, struct ssk_fpcontrol b) {
  return a.vector == b.vector && a.x87 == b.x87;
}
