/* SPDX-License-Identifier: GPL-3.0-or-later */
/* files.h - series that lie in files: what the readers of all formats share.
 *
 * A reader turns a file into series; which of their steps are for training, what of a part is
 * evaluated at once, which values stand for missing ones, and what is said when a file is not
 * there, is decided here. The struct of such a data set begins with a struct ssk_files, its rows
 * with SSK_PARAMS_FILES; `init` and `done` are ssk_files_init and ssk_files_done, its slots
 * SSK_FILES_OPS(open), where `open` calls ssk_files_open with the reader. Windows of training and
 * the units of the model (from training entries alone) are the kernel's, as for any data set. */
#ifndef SSKIT_FILES_H
#define SSKIT_FILES_H

#include <sskit/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ssk_files_store;

struct ssk_files {
  const char *path, *train, *valid, *test, *source; /* parameters */
  int split_by;
  struct ssk_reals split;
  int64_t overlap, test_length, test_stride;
  struct ssk_strings missing;
  struct ssk_files_store *store; /* what was read */
};

enum { SSK_FILES_BY_TIME, SSK_FILES_BY_SERIES }; /* of split_by */
SSK_API extern const char *const ssk_files_split_names[];
SSK_API const char *ssk_files_check_split(const void *self);

/* The first rows of the parameters. */
#define SSK_PARAMS_FILES                                                                           \
  {.name = "path",                                                                                 \
   .type = SSK_T_PATH,                                                                             \
   .offset = SSK_MEMBER_(struct ssk_files, path, const char *),                                    \
   .optional = true,                                                                               \
   .doc =                                                                                          \
       "The file, whose series are split by `split`. Relative to the recipe, or $SSKIT_DATA/... "  \
       "Compressed by gzip or not."},                                                              \
      {.name = "train",                                                                            \
       .type = SSK_T_PATH,                                                                         \
       .offset = SSK_MEMBER_(struct ssk_files, train, const char *),                               \
       .optional = true,                                                                           \
       .doc = "Instead of `path`: the file of the training series."},                              \
      {.name = "valid",                                                                            \
       .type = SSK_T_PATH,                                                                         \
       .offset = SSK_MEMBER_(struct ssk_files, valid, const char *),                               \
       .optional = true,                                                                           \
       .doc = "With `train`: the file of the validation series."},                                 \
      {.name = "test",                                                                             \
       .type = SSK_T_PATH,                                                                         \
       .offset = SSK_MEMBER_(struct ssk_files, test, const char *),                                \
       .optional = true,                                                                           \
       .doc = "With `train`: the file of the test series."},                                       \
      SSK_PARAM_STRING(struct ssk_files, source, "",                                               \
                       "How to get the files: shown when one is not there."),                      \
      SSK_PARAM_ENUM(struct ssk_files, split_by, "time", ssk_files_split_names,                    \
                     "What `split` divides: the steps of each series, or the series of the file, " \
                     "each in their order."),                                                      \
      {.name = "split",                                                                            \
       .type = SSK_T_REALS,                                                                        \
       .offset = SSK_MEMBER_(struct ssk_files, split, struct ssk_reals),                           \
       .default_text = "[0.7, 0.1, 0.2]",                                                          \
       .min = 0,                                                                                   \
       .max = 9e15,                                                                                \
       .doc = "Fractions for train, valid and test; or six counts from 0: first and end of each "  \
              "of them, so that [0, 80, 80, 90, 90, 100] is [0.8, 0.1, 0.1] of 100.",              \
       .check = ssk_files_check_split},                                                            \
      SSK_PARAM_INT(struct ssk_files, overlap, "0", 0, 1e6, "steps",                               \
                    "Steps ahead of a validation or test part that are given with it, as "         \
                    "history."),                                                                   \
      SSK_PARAM_INT(struct ssk_files, test_length, "0", 0, 1e6, "steps",                           \
                    "Cut validation and test parts, with their history, into series of so many "   \
                    "steps, each of which is forecast once; 0: a part is one series."),            \
      SSK_PARAM_INT(struct ssk_files, test_stride, "0", 0, 1e6, "steps",                           \
                    "Distance between their starts; 0: test_length - overlap, so that forecasts "  \
                    "from the history on lie end to end."),                                        \
      SSK_PARAM_STRINGS(struct ssk_files, missing, NULL,                                           \
                        "Values that mean missing, such as -9999, besides those of the format.")

/* Slots of the component. */
SSK_API int ssk_files_init(void *self, ssk_err *err);
SSK_API void ssk_files_done(void *self);
SSK_API void ssk_files_shape(const void *self, struct ssk_data_shape *out);
SSK_API int64_t ssk_files_count(const void *self, enum ssk_split split);
SSK_API int ssk_files_fill(const void *self, enum ssk_split split, int64_t i,
                           struct ssk_series *out, ssk_err *err);
SSK_API void ssk_files_origin(const void *self, enum ssk_split split, int64_t i,
                              struct ssk_series_origin *out);
SSK_API int ssk_files_length(const void *self, enum ssk_split split, int64_t i);
SSK_API void ssk_files_names(const void *self, struct ssk_strings *out);

/* The slots of a data set of files; open_: its own. */
#define SSK_FILES_OPS(open_)                                                                       \
  {                                                                                                \
    .size = sizeof(struct ssk_dataset_ops), .open = open_, .shape = ssk_files_shape,               \
    .count = ssk_files_count, .fill = ssk_files_fill, .origin = ssk_files_origin,                  \
    .length = ssk_files_length, .names = ssk_files_names                                           \
  }

/* Reads one file: ssk_files_dims once, then ssk_files_add for each series. */
typedef int ssk_files_reader(void *self, const char *path, ssk_err *err);
/* Read the files that the recipe names and split their series. SSK_EDATA when one is not there (the
 * hint is `source`), or when there is nothing to train on. */
SSK_API int ssk_files_open(void *self, ssk_files_reader *read, ssk_err *err);

/* The sizes of a file's series: observations, covariates, static covariates. All files of a data
 * set must have the same: SSK_EDATA when they differ, or D < 1. */
SSK_API int ssk_files_dims(struct ssk_files *files, int D, int V, int E, ssk_err *err);

/* For readers of files with named columns: keep the names of the columns of values, in the order of
 * the dimensions, of the first file; the names kept, none before. Further files, also those of
 * `forecast --data`, must be read in that order. SSK_ENOMEM. */
SSK_API int ssk_files_keep_names(struct ssk_files *files, int n, const char *const *names,
                                 ssk_err *err);
SSK_API const struct ssk_strings *ssk_files_kept_names(const struct ssk_files *files);

/* For readers: say what of the file that is being read is left out although the recipe did not ask
 * for that, and why. What was said, "WHAT in 'FILE'"; none before the files are read. SSK_ENOMEM.
 */
SSK_API int ssk_files_leave_out(struct ssk_files *files, ssk_err *err, const char *format, ...)
    SSK_PRINTF(3, 4);
SSK_API const struct ssk_strings *ssk_files_left_out(const struct ssk_files *files);

struct ssk_files_series {
  size_t size;
  const char *name; /* of the series in its file; NULL: its number */
  int64_t steps;
  const double *x;          /* [steps, D]; NaN: missing */
  const double *u;          /* [steps, V]; must be finite */
  const double *s;          /* [E]; must be finite */
  const signed char *split; /* [steps] enum ssk_split; NULL: by the recipe */
  int computed; /* the last so many covariates are the reader's own, not the file's: none of their
                   values stands for a missing one */
};
/* For readers of text: what follows stands in this line of the file, which messages then name; 0:
 * in none, as when the file is opened. */
SSK_API void ssk_files_at_line(struct ssk_files *files, int line);
/* The split that the file that is being read is for, or -1: of all. */
SSK_API int ssk_files_split(const struct ssk_files *files);
/* Copies it. */
SSK_API int ssk_files_add(struct ssk_files *files, const struct ssk_files_series *series,
                          ssk_err *err);

/* ---- for readers ----------------------------------------------------------------------------- */

/* A whole file, unpacked where gzip packed it, without a byte-order mark of UTF-8; malloc'ed, with
 * a NUL behind it that *size does not count. SSK_EDATA when it is damaged. */
SSK_API int ssk_files_text(const char *path, char **data, size_t *size, ssk_err *err);
/* A finite decimal number that fills the text but for blanks around it. */
SSK_API bool ssk_files_number(const char *text, double *value);
/* Would this text be a number with a point for its comma, or without the commas between thousands?
 */
SSK_API bool ssk_files_comma_number(const char *text);
/* Is this text (of a cell) one of `missing`? */
SSK_API bool ssk_files_missing(const struct ssk_files *files, const char *text);
/* SSK_EDATA at pos: the file has no column `name`, which the key `key` of the recipe asks for
 * (NULL: not told); with the nearest of its `n` columns, and all of them, as hint. */
SSK_API int ssk_files_no_column(const struct ssk_pos *pos, const char *name, const char *key,
                                const char *const *columns, int n, ssk_err *err);

/* ---- files of named arrays ---------------------------------------------------------------------
 */

/* What formats of named arrays (npz, hdf5, mat) share: which arrays hold what. The struct of the
 * data set begins with one of these, its rows are SSK_PARAMS_ARRAYS. */
struct ssk_arrays {
  struct ssk_files files;
  const char *values, *inputs, *lengths, *statics; /* parameters: names of arrays */
  struct ssk_reals columns;
};

#define SSK_PARAMS_ARRAYS                                                                          \
  SSK_PARAMS_FILES,                                                                                \
      SSK_PARAM_STRING(                                                                            \
          struct ssk_arrays, values, "values",                                                     \
          "Array of what is observed: [steps, D] (with `lengths`: of all series, one "             \
          "behind the other), [steps], or [series, steps, D] (with `lengths`: filled up to one "   \
          "length). NaN: missing. In this and the other names, * stands for train, valid or "      \
          "test, where each has a file."),                                                         \
      SSK_PARAM_STRING(struct ssk_arrays, inputs, "",                                              \
                       "Array of known inputs, of the same form with V columns; empty: none."),    \
      SSK_PARAM_STRING(struct ssk_arrays, lengths, "",                                             \
                       "Array [series] of the series' lengths; empty: that of the name lengths "   \
                       "beside `values`, where there is one; else `values` is one series, or "     \
                       "says by itself."),                                                         \
      SSK_PARAM_STRING(struct ssk_arrays, statics, "",                                             \
                       "Array [series, E] of static covariates; empty: none."),                    \
      SSK_PARAM_REALS(struct ssk_arrays, columns, NULL, 0, 1e6, NULL,                              \
                      "Columns of `values` that are modelled, from 0, in this order; default: "    \
                      "all.")

/* An array as a reader found it; in C order. */
struct ssk_array {
  int ndim; /* 0: there is no such array */
  int64_t shape[3];
  double *data; /* malloc'ed by the reader, freed by ssk_arrays_add */
  /* Where the format itself says how the rows are shared out among series: their lengths, which sum
   * to the rows, malloc'ed likewise; else NULL. */
  int64_t *lengths;
  int64_t series;
};
/* Reads the array `name` of an open file; leaves ndim 0 where there is none, and writes the names
 * of those that there are, for a message, to `names`. */
typedef int ssk_array_fetch(void *file, const char *name, struct ssk_array *out, char *names,
                            size_t room, ssk_err *err);
/* Take the series of one file, which errors call `path`. */
SSK_API int ssk_arrays_add(struct ssk_arrays *arrays, const char *path, ssk_array_fetch *fetch,
                           void *file, ssk_err *err);
/* The product of a shape, for a reader: SSK_EDATA where it does not fit into memory. */
SSK_API int ssk_array_count(const char *path, const char *name, int ndim, const int64_t *shape,
                            int64_t *count, ssk_err *err);

#ifdef __cplusplus
}
#endif
#endif
