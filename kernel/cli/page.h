/* SPDX-License-Identifier: GPL-3.0-or-later */
/* page.h - documentation as text and as JSON, from the rows that declare it. */
#ifndef SSK_CLI_PAGE_H
#define SSK_CLI_PAGE_H

#include "core/text.h"
#include <jansson.h>
#include <sskit/params.h>

/* Add prose, indented and broken at 80 columns. An empty line separates paragraphs; lines that
 * begin with a space (formulas) are kept as they are. */
void ssk_page_prose(struct ssk_text *out, const char *prose, int indent);
/* What a row accepts: "int in [1, 4096], steps, default 128". */
void ssk_page_type(struct ssk_text *out, const struct ssk_param *row);
/* The same as members of a JSON object, with the doc; sections carry theirs as "parameters". */
json_t *ssk_page_row_json(const struct ssk_param *row);
json_t *ssk_page_rows_json(const struct ssk_param *rows);

#endif
