/* SPDX-License-Identifier: GPL-3.0-or-later */
/* params.h - recipe parameters as rows of a table.
 *
 * A component (or a section of a recipe) is configured by a plain struct. One row for each member
 * says its key, type, default, range and meaning; the kernel parses, checks, reports errors at
 * their place in the recipe, fills the member, prints it in `sskit describe`, writes it to the
 * resolved recipe and to the JSON Schema. The macros take the struct's type and the member's name,
 * and do not compile when the member has another type than the row says. */
#ifndef SSKIT_PARAMS_H
#define SSKIT_PARAMS_H

#include <math.h>
#include <sskit/err.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The kinds of component. The order is part of the ABI: add at the end. */
enum ssk_kind {
  SSK_DATASET,
  SSK_SUMMARY,
  SSK_ENCODER,
  SSK_EMISSION,
  SSK_INITIAL,
  SSK_TRANSITION,
  SSK_SCHEDULE,
  SSK_DENOISER,
  SSK_MIXER,
  SSK_SAMPLER,
  SSK_OBJECTIVE,
  SSK_METRIC,
  SSK_NETWORK,
  SSK_KIND_COUNT
};

struct ssk_instance; /* a component with its parameters filled: see plugin.h */

/* A list of numbers, of names, or of nested components. Owned by the kernel, which frees it with
 * the struct that holds it. */
struct ssk_reals {
  int n;
  double *items;
};
struct ssk_strings {
  int n;
  const char **items;
};
struct ssk_instances {
  int n;
  struct ssk_instance **items;
};

enum ssk_type {
  SSK_T_BOOL,       /* bool */
  SSK_T_INT,        /* int64_t */
  SSK_T_REAL,       /* double; `inf` is accepted only where the range allows it; never nan */
  SSK_T_STRING,     /* const char *, never NULL ("" when the default is NULL) */
  SSK_T_PATH,       /* const char *: relative paths are resolved against the recipe's folder, a
                       leading $NAME or ${NAME} is taken from the environment */
  SSK_T_ENUM,       /* int: the index into `choices` */
  SSK_T_REALS,      /* struct ssk_reals; a single number is a list of one */
  SSK_T_STRINGS,    /* struct ssk_strings; a single name is a list of one; where there are
                       `choices`, each is one of them */
  SSK_T_COMPONENT,  /* struct ssk_instance *: `name` or `{use: name, ...}` of kind `kind`; where
                       the default is "none", `none` is accepted too and gives NULL */
  SSK_T_COMPONENTS, /* struct ssk_instances: a list of the same */
  SSK_T_SECTION,    /* a nested struct held by value; its rows are `rows` */
};

/* One recipe key. A table of rows ends with a row whose name is NULL. All pointers are borrowed and
 * static. */
struct ssk_param {
  const char *name;             /* the key */
  enum ssk_type type;           /* */
  size_t offset;                /* of the member in the struct */
  const char *default_text;     /* as it would stand in a recipe (lists: "[a, b]"); NULL: the key
                                   is required, unless `optional` */
  double min, max;              /* inclusive; for int, real, and each item of reals */
  const char *unit;             /* "nats", "steps", ...; NULL: none */
  const char *const *choices;   /* SSK_T_ENUM, and SSK_T_STRINGS or NULL: NULL-terminated */
  enum ssk_kind kind;           /* SSK_T_COMPONENT(S) */
  const struct ssk_param *rows; /* SSK_T_SECTION */
  bool optional;                /* may be absent although there is no default */
  const char *doc;              /* one or two sentences; for formulas: the source */
  const char *(*check)(const void *self); /* optional, after all rows are filled: NULL when fine, or
                                    the reason (static text) why this value does not fit */
};

/* sizeof of an array of 1 if `member` has the type, else a compile-time error. */
#define SSK_MEMBER_(type, member, ctype)                                                           \
  (offsetof(type, member) + 0 * sizeof(char[_Generic(((type *)0)->member, ctype : 1)]))

#define SSK_PARAM_BOOL(S, m, def, text)                                                            \
  {                                                                                                \
    .name = #m, .type = SSK_T_BOOL, .offset = SSK_MEMBER_(S, m, bool), .default_text = def,        \
    .doc = text                                                                                    \
  }
#define SSK_PARAM_INT(S, m, def, lo, hi, u, text)                                                  \
  {                                                                                                \
    .name = #m, .type = SSK_T_INT, .offset = SSK_MEMBER_(S, m, int64_t), .default_text = def,      \
    .min = lo, .max = hi, .unit = u, .doc = text                                                   \
  }
#define SSK_PARAM_REAL(S, m, def, lo, hi, u, text)                                                 \
  {                                                                                                \
    .name = #m, .type = SSK_T_REAL, .offset = SSK_MEMBER_(S, m, double), .default_text = def,      \
    .min = lo, .max = hi, .unit = u, .doc = text                                                   \
  }
#define SSK_PARAM_STRING(S, m, def, text)                                                          \
  {                                                                                                \
    .name = #m, .type = SSK_T_STRING, .offset = SSK_MEMBER_(S, m, const char *),                   \
    .default_text = def, .doc = text                                                               \
  }
#define SSK_PARAM_PATH(S, m, def, text)                                                            \
  {                                                                                                \
    .name = #m, .type = SSK_T_PATH, .offset = SSK_MEMBER_(S, m, const char *),                     \
    .default_text = def, .doc = text                                                               \
  }
#define SSK_PARAM_ENUM(S, m, def, list, text)                                                      \
  {                                                                                                \
    .name = #m, .type = SSK_T_ENUM, .offset = SSK_MEMBER_(S, m, int), .default_text = def,         \
    .choices = list, .doc = text                                                                   \
  }
#define SSK_PARAM_REALS(S, m, def, lo, hi, u, text)                                                \
  {                                                                                                \
    .name = #m, .type = SSK_T_REALS, .offset = SSK_MEMBER_(S, m, struct ssk_reals),                \
    .default_text = def, .min = lo, .max = hi, .unit = u, .optional = true, .doc = text            \
  }
#define SSK_PARAM_STRINGS(S, m, def, text)                                                         \
  {                                                                                                \
    .name = #m, .type = SSK_T_STRINGS, .offset = SSK_MEMBER_(S, m, struct ssk_strings),            \
    .default_text = def, .optional = true, .doc = text                                             \
  }
/* A list of names out of `list`. */
#define SSK_PARAM_NAMES(S, m, def, list, text)                                                     \
  {                                                                                                \
    .name = #m, .type = SSK_T_STRINGS, .offset = SSK_MEMBER_(S, m, struct ssk_strings),            \
    .default_text = def, .choices = list, .optional = true, .doc = text                            \
  }
#define SSK_PARAM_COMPONENT(S, m, k, def, text)                                                    \
  {                                                                                                \
    .name = #m, .type = SSK_T_COMPONENT, .offset = SSK_MEMBER_(S, m, struct ssk_instance *),       \
    .default_text = def, .kind = k, .doc = text                                                    \
  }
#define SSK_PARAM_COMPONENTS(S, m, k, def, text)                                                   \
  {                                                                                                \
    .name = #m, .type = SSK_T_COMPONENTS, .offset = SSK_MEMBER_(S, m, struct ssk_instances),       \
    .default_text = def, .kind = k, .optional = true, .doc = text                                  \
  }
#define SSK_PARAM_SECTION(S, m, table, text)                                                       \
  { .name = #m, .type = SSK_T_SECTION, .offset = offsetof(S, m), .rows = table, .doc = text }
#define SSK_PARAM_END                                                                              \
  { .name = NULL }

#ifdef __cplusplus
}
#endif
#endif
