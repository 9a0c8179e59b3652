/* SPDX-License-Identifier: GPL-3.0-or-later */
/* log.c - remarks of the library, handed to the one sink that the program has set. The sink is set
 * before threads start; it may be called from several at once. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* vasprintf */
#endif
#include "core/log.h"
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

static ssk_log_sink *the_sink;
static void *the_state;

void ssk_log_to(ssk_log_sink *sink, void *state) {
  the_sink = sink;
  the_state = state;
}

void ssk_say(enum ssk_log_level level, const char *format, ...) {
  if (!the_sink)
    return;
  char *message = NULL;
  va_list args;
  va_start(args, format);
  int n = vasprintf(&message, format, args);
  va_end(args);
  if (n >= 0)
    the_sink(level, message, the_state);
  free(message);
}
