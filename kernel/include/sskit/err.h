/* SPDX-License-Identifier: GPL-3.0-or-later */
/* err.h - errors as values: what went wrong, where in which file, and what would have been right.
 *
 * Every function of libsskit that can fail returns an `int`: SSK_OK (0) or one of the codes below,
 * and describes the failure in the `ssk_err` that the caller passed. The codes are also the exit
 * statuses of the program `sskit`. The library never prints and never leaves the process. */
#ifndef SSKIT_ERR_H
#define SSKIT_ERR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SSK_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define SSK_PRINTF(fmt, args)
#endif
#define SSK_API __attribute__((visibility("default")))

/* Return codes of the library and exit statuses of the program. */
enum ssk_code {
  SSK_OK = 0,
  SSK_EFAIL = 1,        /* a failure that no other code describes */
  SSK_EUSAGE = 2,       /* the command line, or a call, is wrong */
  SSK_ERECIPE = 3,      /* a recipe is wrong: syntax, key, type, range */
  SSK_EPLUGIN = 4,      /* a plugin is missing, was refused, or failed to initialise */
  SSK_EDATA = 5,        /* data are missing, malformed, or do not fit the recipe */
  SSK_EIO = 6,          /* the operating system refused a file operation */
  SSK_ENUMERIC = 7,     /* too many non-finite steps, or a value that must be finite is not */
  SSK_ENOMEM = 8,       /* no memory */
  SSK_EINTERRUPTED = 9, /* stopped by a signal; the state was saved and can be resumed */
};

/* A place in a text file. Lines and columns count from 1, and line 0 means the file as a whole;
 * file NULL is no place. Columns count bytes. `line_text` is the source line without its newline
 * (may be NULL: no excerpt is shown); `width` is the length of the caret run under it. All strings
 * are borrowed and must outlive the call that takes the position; an ssk_err copies what it keeps.
 */
struct ssk_pos {
  const char *file;
  int line;
  int column;
  int width;
  const char *line_text;
};

/* Collected diagnostics: the first SSK_ERR_MAX are kept, the rest are counted. Not thread-safe: one
 * ssk_err belongs to one thread at a time. */
typedef struct ssk_err ssk_err;
#define SSK_ERR_MAX 20

/* A new, empty collection; NULL when there is no memory (every function here accepts NULL and then
 * only passes codes through). Free with ssk_err_free, which accepts NULL. */
SSK_API ssk_err *ssk_err_new(void);
SSK_API void ssk_err_free(ssk_err *err);

/* Add a diagnostic; returns `code`, so that `return ssk_err_set(err, SSK_EDATA, "...")` reads well.
 * The message is one sentence without a full stop and without a newline. */
SSK_API int ssk_err_set(ssk_err *err, int code, const char *format, ...) SSK_PRINTF(3, 4);

/* The same, with a place in a file; `pos` may be NULL. */
SSK_API int ssk_err_at(ssk_err *err, int code, const struct ssk_pos *pos, const char *format, ...)
    SSK_PRINTF(4, 5);

/* Attach a hint to the latest diagnostic: the nearest valid name, the allowed range, the cure. */
SSK_API void ssk_err_hint(ssk_err *err, const char *format, ...) SSK_PRINTF(2, 3);

/* Say what was being done: prefixes the latest diagnostic's message with "<context>: ". */
SSK_API void ssk_err_context(ssk_err *err, const char *format, ...) SSK_PRINTF(2, 3);

/* The code of the first diagnostic, SSK_OK when there is none. */
SSK_API int ssk_err_code(const ssk_err *err);

/* How many diagnostics were added (also those beyond SSK_ERR_MAX). */
SSK_API int ssk_err_count(const ssk_err *err);

/* The message of diagnostic `i` (0-based) without position or hint; "" out of range. Borrowed. */
SSK_API const char *ssk_err_message(const ssk_err *err, int i);

/* Diagnostic `i` (0-based) in full; false out of range. Strings are borrowed until err changes. */
struct ssk_diagnostic {
  int code;
  const char *message;
  const char *hint;   /* NULL: none */
  struct ssk_pos pos; /* file NULL: without a place */
};
SSK_API bool ssk_err_get(const ssk_err *err, int i, struct ssk_diagnostic *out);

/* Forget all diagnostics. */
SSK_API void ssk_err_clear(ssk_err *err);

/* Print all diagnostics in the form
 *     recipes/a.yaml:14:7: error: unknown key 'lenght'
 *        14 |       lenght: 32
 *           |       ^~~~~~
 *           = hint: did you mean 'length'?
 * Without a position the line starts with "sskit: error: ". `colour` adds terminal colours. */
SSK_API void ssk_err_print(const ssk_err *err, FILE *stream, bool colour);

#ifdef __cplusplus
}
#endif
#endif
