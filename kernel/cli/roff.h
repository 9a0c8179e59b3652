/* SPDX-License-Identifier: GPL-3.0-or-later */
/* roff.h - what manual pages are made of, in the language man(7). */
#ifndef SSK_CLI_ROFF_H
#define SSK_CLI_ROFF_H

#include "core/text.h"

/* ".TH NAME SECTION": the name is given as it is, in capitals by custom. */
void ssk_roff_title(struct ssk_text *out, const char *name, int section);
void ssk_roff_section(struct ssk_text *out, const char *title);
void ssk_roff_subsection(struct ssk_text *out, const char *title);
/* Text that troff must not read as its own: backslashes, hyphens, and dots or quotes at the start
 * of a line. */
void ssk_roff_text(struct ssk_text *out, const char *text);
/* Paragraphs, as ssk_page_prose has them: an empty line separates two, and lines that begin with a
 * space are kept as they are. Those after the first begin with `macro`: "PP", or "IP" in a list. */
void ssk_roff_prose(struct ssk_text *out, const char *prose, const char *macro);
/* An item of a list: the word in bold and, behind it, `more` (NULL: nothing); its text follows. */
void ssk_roff_item(struct ssk_text *out, const char *word, const char *more);

#endif
