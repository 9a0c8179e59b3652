/* SPDX-License-Identifier: GPL-3.0-or-later */
/* format.h - in what format a verb writes its table: --format, --json and the ending of --output
 * decide it, for all verbs alike. */
#ifndef SSK_CLI_FORMAT_H
#define SSK_CLI_FORMAT_H

#include "core/text.h"
#include <jansson.h>

struct ssk_cli;

/* Their names, which are the endings of files, too, are in format.c. */
enum ssk_format {
  SSK_FORMAT_CSV,
  SSK_FORMAT_JSON,  /* one array */
  SSK_FORMAT_JSONL, /* an object a line */
  SSK_FORMAT_NPZ
};

/* For jansson: digits enough for what is written, with which 0.05 is no 0.050000000000000003. */
#define SSK_FORMAT_DIGITS JSON_REAL_PRECISION(16)

/* Set cli->format to one of `formats`, "csv|json|npz": that of --format, cli->format_wanted; else
 * that of the ending of --output; else with --json the first of JSON; else the first. SSK_EUSAGE
 * where two of them contradict each other, and where the ending names no format and --format is not
 * given. */
int ssk_format_settle(struct ssk_cli *cli, const char *formats);

/* Append an object as a line, and release it; NULL is a lack of memory, as text->failed is. */
void ssk_format_line(struct ssk_text *text, json_t *object);

#endif
