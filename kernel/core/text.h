/* SPDX-License-Identifier: GPL-3.0-or-later */
/* text.h - growing strings, and the nearest of some names. */
#ifndef SSK_CORE_TEXT_H
#define SSK_CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* A growing string, always NUL-terminated once something was added. Zero-initialise; after a failed
 * allocation `failed` is set and further additions do nothing. Free with ssk_text_free. */
struct ssk_text {
  char *data;
  size_t length, capacity;
  bool failed;
};
void ssk_text_add(struct ssk_text *text, const char *piece);
void ssk_text_printf(struct ssk_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A cell of a CSV file, quoted as in RFC 4180. */
void ssk_text_quote(struct ssk_text *text, const char *cell);
/* The same, quoted only where that is needed. */
void ssk_text_cell(struct ssk_text *text, const char *cell);
void ssk_text_free(struct ssk_text *text);

/* The shortest decimal that reads back as the same double ("0.1", "1e-07", "inf"). */
const char *ssk_text_double(char buffer[32], double value);

/* Read all of `text` as a decimal number: digits with an optional sign, point and exponent, or inf
 * and .inf with a sign. No spaces, hexadecimal, underscores or nan; independent of the locale.
 * False when it is no such number, or one that a double cannot hold. */
bool ssk_text_read_double(const char *text, double *value);
/* Whether bytes are text in UTF-8 without control characters other than tab and newline; the line
 * separators NEL, LS and PS, byte order marks and noncharacters count as control characters. *bad
 * (may be NULL) gets the offset of the first byte that is not fine. */
enum ssk_text_flaw { SSK_TEXT_CLEAN, SSK_TEXT_CONTROL, SSK_TEXT_NOT_UTF8 };
enum ssk_text_flaw ssk_text_check(const char *data, size_t size, size_t *bad);

/* Whether two texts are equal; both may be missing (NULL), which are equal too. */
bool ssk_text_same(const char *a, const char *b);

/* Nearest-name search (Damerau-Levenshtein over letters and digits; neither case nor blanks,
 * underscores and brackets count): start with {.wanted = name}, offer candidates one by one, read
 * `best`. NULL when nothing is near enough, which is a distance of 1 + length/4, or, where no name
 * is, the only one that begins with the wanted or with which that begins. */
struct ssk_nearest {
  const char *wanted;
  const char *best;
  int distance;
  int beginnings;
};
void ssk_nearest_offer(struct ssk_nearest *search, const char *candidate);

#endif
