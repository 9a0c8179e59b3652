/* SPDX-License-Identifier: GPL-3.0-or-later */
/* err_place.h - what others have diagnosed: give it a place, or pass it on. */
#ifndef SSK_CORE_ERR_PLACE_H
#define SSK_CORE_ERR_PLACE_H

#include <sskit/err.h>

/* All diagnostics from number `from` (a former ssk_err_count) on that have no place get `pos`: how
 * a component's `init`, which knows nothing of recipes, points at its line. Accepts NULL. */
void ssk_err_place(ssk_err *err, int from, const struct ssk_pos *pos);

/* Put diagnostic `i` of another collection behind those of err, as it is. False where err has it
 * already, in the same words behind whatever was being done: at the same place, or anywhere where
 * it has none. */
bool ssk_err_pass_on(ssk_err *err, const ssk_err *from, int i);

#endif
