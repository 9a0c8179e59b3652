/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fpcontrol.h - the control word of the floating-point unit: what a plugin must leave alone. */
#ifndef SSK_REGISTRY_FPCONTROL_H
#define SSK_REGISTRY_FPCONTROL_H

#include <stdbool.h>
#include <stdint.h>

/* `vector`: rounding, masks, and whether denormals count as zero (MXCSR on x86, FPCR on ARM);
 * `x87`: the control word of the x87 unit, 0 elsewhere. Status flags are left out. */
struct ssk_fpcontrol {
  uint32_t vector;
  uint32_t x87;
};
struct ssk_fpcontrol ssk_fpcontrol_get(void);
void ssk_fpcontrol_set(struct ssk_fpcontrol control);
bool ssk_fpcontrol_equal(struct ssk_fpcontrol a, struct ssk_fpcontrol b);

#endif
