/* SPDX-License-Identifier: GPL-3.0-or-later */
/* err_place.h - give a place to what others have diagnosed without one. */
#ifndef SSK_CORE_ERR_PLACE_H
#define SSK_CORE_ERR_PLACE_H

#include <sskit/err.h>

/* All diagnostics from number `from` (a former ssk_err_count) on that have no place get `pos`: how
 * a component's `init`, which knows nothing of recipes, points at its line. Accepts NULL. */
void ssk_err_place(ssk_err *err, int from, const struct ssk_pos *pos);

#endif
