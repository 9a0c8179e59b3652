/* SPDX-License-Identifier: GPL-3.0-or-later */
/* log.h - where the library's remarks go. By default nowhere: the program sets a sink. */
#ifndef SSK_CORE_LOG_H
#define SSK_CORE_LOG_H

enum ssk_log_level { SSK_LOG_WARNING, SSK_LOG_INFO, SSK_LOG_DEBUG };
typedef void ssk_log_sink(enum ssk_log_level level, const char *message, void *state);
void ssk_log_to(ssk_log_sink *sink, void *state);
void ssk_say(enum ssk_log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
