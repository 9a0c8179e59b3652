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
void ssk_text_free(struct ssk_text *text);

/* The shortest decimal that reads back as the same double ("0.1", "1e-07", "inf"). */
const char *ssk_text_double(char buffer[32], double value);

/* Nearest-name search (Damerau-Levenshtein): start with {.wanted = name}, offer candidates one by
 * one, read `best` (NULL when nothing is near enough: distance <= 1 + length/4). */
struct ssk_nearest {
  const char *wanted;
  const char *best;
  int distance;
};
void ssk_nearest_offer(struct ssk_nearest *search, const char *candidate);

#endif
