/* SPDX-License-Identifier: GPL-3.0-or-later */
/* typing.h - single values: from source text to C values, and the words for what is expected. */
#ifndef SSK_RECIPE_TYPING_H
#define SSK_RECIPE_TYPING_H

#include "core/arena.h"
#include "core/text.h"
#include <sskit/params.h>

/* Decimal integers; 1e3 and 2.0 are integers too. */
bool ssk_typing_int(const char *text, int64_t *value);
/* true or false, nothing else. */
bool ssk_typing_bool(const char *text, bool *value);
/* An absolute path: a leading $NAME or ${NAME} replaced, a relative path put behind `folder` (NULL:
 * the working folder). "" stays "". On failure NULL and the reason (in the arena, or static). */
const char *ssk_typing_path(struct ssk_arena *arena, const char *text, const char *folder,
                            const char **reason);

/* "an integer from 1 to 4096", "one of free, additive", ...: what a row accepts. */
void ssk_typing_expected(const struct ssk_param *row, struct ssk_text *out);
/* "[1, 4096] steps", "" when there is no limit. */
void ssk_typing_range(const struct ssk_param *row, struct ssk_text *out);

#endif
