/* SPDX-License-Identifier: GPL-3.0-or-later */
/* files.c - series from files, of whatever format: kept in one table of rows, split, and cut. */
#include "core/text.h"
#include "model/series_names.h"
#include <math.h>
#include <sskit/files.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const ssk_files_split_names[] = {"time", "series", NULL};

struct member { /* a series of a file */
  const char *file;
  char *name;
  int64_t first, steps; /* rows */
  int split;            /* of the file; -1: by the recipe */
  signed char *split_of_step;
};

struct run { /* a series of a split: steps of a member */
  int64_t member, first;
  int length;
};

struct ssk_files_store {
  int D, V, E;
  const char *sized_by; /* the file that gave them */
  const char *file;     /* that is being read, its split, or -1, and the line, 0: none */
  int split, line;
  struct ssk_strings names; /* of the columns of values, where the reader keeps them */
  struct ssk_strings left_out;
  double *sentinel;
  int n_sentinels;
  double *rows; /* [n_rows, D + V]; NaN: missing */
  int64_t n_rows, row_room;
  double *statics; /* [n_members, E] */
  struct member *member;
  int64_t n_members, member_room;
  bool named;      /* the reader gave names to series */
  struct run *run; /* sorted by split: those of split s are [first[s], first[s + 1]) */
  int64_t n_runs, run_room, first[SSK_SPLIT_COUNT + 1];
  int longest;
};

static int no_memory(const struct ssk_files_store *store, ssk_err *err) {
  return ssk_err_set(err, SSK_ENOMEM, "no memory for the series of '%s'", store->file);
}

/* What is wrong with the file that is being read: at its line, where the reader tells one. */
SSK_PRINTF(3, 4)
static int bad(const struct ssk_files_store *store, ssk_err *err, const char *format, ...) {
  char text[512];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  const struct ssk_pos pos = {.file = store->file, .line = store->line, .column = 1, .width = 1};
  return store->line ? ssk_err_at(err, SSK_EDATA, &pos, "%s", text)
                     : ssk_err_set(err, SSK_EDATA, "'%s': %s", store->file, text);
}

/* ---- parameters ------------------------------------------------------------------------------ */

const char *ssk_files_check_split(const void *self) {
  const struct ssk_reals *split = &((const struct ssk_files *)self)->split;
  const double *item = split->items;
  if (split->n == 3)
    return item[0] > 0 && fabs(item[0] + item[1] + item[2] - 1) < 1e-9
               ? NULL
               : "must be three fractions (train, valid, test) that sum to 1, the first above 0";
  bool whole = split->n == 6;
  for (int i = 0; whole && i < 6; i++)
    whole = item[i] == floor(item[i]) && (i % 2 == 0 || item[i] >= item[i - 1]);
  return whole && item[1] > item[0]
             ? NULL
             : "must be three fractions, or six whole numbers: the first step and the end of "
               "train, valid and test, no end before its first, and some steps for train";
}

int ssk_files_init(void *self, ssk_err *err) {
  const struct ssk_files *f = self;
  bool path = *f->path, train = *f->train;
  if (path == train)
    return ssk_err_set(err, SSK_ERECIPE, "%s",
                       path ? "'path' and 'train' are given: one file that is split, or a file for "
                              "each split"
                            : "no file is given: 'path', or 'train' with 'valid' and 'test'");
  if (path && (*f->valid || *f->test))
    return ssk_err_set(err, SSK_ERECIPE, "'%s' goes with 'train', not with 'path'",
                       *f->valid ? "valid" : "test");
  if (f->test_length && f->test_length <= f->overlap)
    return ssk_err_set(err, SSK_ERECIPE,
                       "test_length is %lld and overlap %lld: nothing would be left to forecast",
                       (long long)f->test_length, (long long)f->overlap);
  return SSK_OK;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Steps added as it grows; *room 0 at first. */
static bool grow(void **items, int64_t *room, int64_t wanted, size_t size) {
  if (wanted <= *room)
    return true;
  int64_t next = *room ? *room : 64;
  while (next < wanted)
    next += next / 2 + 1;
  size_t bytes;
  void *grown = __builtin_mul_overflow((size_t)next, size, &bytes) ? NULL : realloc(*items, bytes);
  if (!grown)
    return false;
  *items = grown;
  *room = next;
  return true;
}

int ssk_files_dims(struct ssk_files *files, int D, int V, int E, ssk_err *err) {
  struct ssk_files_store *store = files->store;
  if (D < 1)
    return ssk_err_set(err, SSK_EDATA, "'%s' has nothing to model", store->file);
  if (store->sized_by && (D != store->D || V != store->V || E != store->E))
    return bad(
        store, err,
        "there are %d dimensions, %d covariates and %d static ones, but what was read before, in "
        "'%s', has %d, %d and %d",
        D, V, E, store->sized_by, store->D, store->V, store->E);
  store->D = D, store->V = V, store->E = E;
  store->sized_by = store->file;
  return SSK_OK;
}

int ssk_files_keep_names(struct ssk_files *files, int n, const char *const *names, ssk_err *err) {
  struct ssk_strings *kept = &files->store->names;
  if (kept->n || !(kept->items = calloc((size_t)n + 1, sizeof *kept->items)))
    return kept->n ? SSK_OK : no_memory(files->store, err);
  for (; kept->n < n; kept->n++)
    if (!(kept->items[kept->n] = strdup(names[kept->n])))
      return no_memory(files->store, err);
  return SSK_OK;
}

const struct ssk_strings *ssk_files_kept_names(const struct ssk_files *files) {
  return &files->store->names;
}

int ssk_files_leave_out(struct ssk_files *files, ssk_err *err, const char *format, ...) {
  struct ssk_files_store *store = files->store;
  struct ssk_strings *said = &store->left_out;
  struct ssk_text text = {0};
  char what[256];
  va_list args;
  va_start(args, format);
  vsnprintf(what, sizeof what, format, args);
  va_end(args);
  const char **grown = realloc(said->items, ((size_t)said->n + 1) * sizeof *grown);
  said->items = grown ? grown : said->items;
  ssk_text_printf(&text, "%s in '%s'", what, store->file);
  if (!grown || text.failed) {
    ssk_text_free(&text);
    return no_memory(store, err);
  }
  said->items[said->n++] = text.data;
  return SSK_OK;
}

const struct ssk_strings *ssk_files_left_out(const struct ssk_files *files) {
  static const struct ssk_strings none = {0};
  return files->store ? &files->store->left_out : &none;
}

void ssk_files_at_line(struct ssk_files *files, int line) {
  files->store->line = line;
}

int ssk_files_split(const struct ssk_files *files) {
  return files->store->split;
}

static bool is_sentinel(const struct ssk_files_store *store, double value) {
  for (int i = 0; i < store->n_sentinels; i++)
    if (value == store->sentinel[i])
      return true;
  return false;
}

static int check_finite(const struct ssk_files_store *store, const struct ssk_files_series *in,
                        const double *values, int64_t steps, int width, int computed,
                        const char *what, ssk_err *err) {
  for (int64_t i = 0; i < steps * width; i++)
    if (!isfinite(values[i]) || (i % width < width - computed && is_sentinel(store, values[i])))
      return bad(store, err, "series %s, step %lld: %s %lld is missing here", in->name,
                 (long long)(i / width), what, (long long)(i % width));
  return SSK_OK;
}

static void copy_rows(const struct ssk_files_store *store, const struct ssk_files_series *in,
                      double *to) {
  for (int64_t t = 0; t < in->steps; t++) {
    for (int k = 0; k < store->D; k++) {
      double x = in->x[t * store->D + k];
      *to++ = is_sentinel(store, x) ? NAN : x;
    }
    for (int k = 0; k < store->V; k++)
      *to++ = in->u[t * store->V + k];
  }
}

int ssk_files_add(struct ssk_files *files, const struct ssk_files_series *series, ssk_err *err) {
  struct ssk_files_store *store = files->store;
  struct ssk_files_series in = *series;
  char number[24];
  snprintf(number, sizeof number, "%lld", (long long)store->n_members);
  store->named |= in.name != NULL;
  in.name = in.name ? in.name : number;
  if (in.steps < 1 || in.steps > INT32_MAX)
    return bad(store, err, "series %s has %lld steps", in.name, (long long)in.steps);
  for (int64_t i = 0; i < in.steps * store->D; i++)
    if (isinf(in.x[i]))
      return bad(store, err, "series %s, step %lld: dimension %lld is infinite", in.name,
                 (long long)(i / store->D), (long long)(i % store->D));
  int code = check_finite(store, &in, in.u, in.steps, store->V, in.computed, "covariate", err);
  code = code ? code : check_finite(store, &in, in.s, 1, store->E, 0, "static covariate", err);
  if (code)
    return code;
  size_t width = (size_t)(store->D + store->V);
  int64_t member_room = store->member_room;
  if (!grow((void **)&store->rows, &store->row_room, store->n_rows + in.steps,
            width * sizeof *store->rows) ||
      !grow((void **)&store->statics, &member_room, store->n_members + 1,
            (size_t)(store->E + 1) * sizeof *store->statics) ||
      !grow((void **)&store->member, &store->member_room, store->n_members + 1,
            sizeof *store->member))
    return no_memory(store, err);
  struct member *member = &store->member[store->n_members];
  *member = (struct member){.file = store->file,
                            .name = strdup(in.name),
                            .first = store->n_rows,
                            .steps = in.steps,
                            .split = store->split};
  store->n_members++;
  if (in.split && (member->split_of_step = malloc((size_t)in.steps)))
    memcpy(member->split_of_step, in.split, (size_t)in.steps);
  if (!member->name || (in.split && !member->split_of_step))
    return no_memory(store, err);
  copy_rows(store, &in, store->rows + (size_t)store->n_rows * width);
  for (int k = 0; k < store->E; k++)
    store->statics[(store->n_members - 1) * store->E + k] = in.s[k];
  store->n_rows += in.steps;
  return SSK_OK;
}

/* ---- splitting ------------------------------------------------------------------------------- */

/* The part of n things that a split has, by the fractions or counts of the recipe. */
static void part(const struct ssk_reals *split, int which, int64_t n, int64_t *from, int64_t *to) {
  const double *item = split->items;
  if (split->n == 6) {
    *from = item[2 * which] < (double)n ? (int64_t)item[2 * which] : n;
    *to = item[2 * which + 1] < (double)n ? (int64_t)item[2 * which + 1] : n;
    return;
  }
  int64_t train = (int64_t)floor(item[0] * (double)n + 1e-9);
  int64_t valid = (int64_t)floor((item[0] + item[1]) * (double)n + 1e-9);
  *from = which == SSK_TRAIN ? 0 : which == SSK_VALID ? train : valid;
  *to = which == SSK_TRAIN ? train : which == SSK_VALID ? valid : n;
}

static int add_run(struct ssk_files_store *store, int64_t member, int64_t first, int64_t length,
                   ssk_err *err) {
  if (!grow((void **)&store->run, &store->run_room, store->n_runs + 1, sizeof *store->run))
    return no_memory(store, err);
  store->run[store->n_runs++] =
      (struct run){.member = member, .first = first, .length = (int)length};
  store->longest = length > store->longest ? (int)length : store->longest;
  return SSK_OK;
}

/* Steps [from, to) of a member are a part of the split: with its history, whole or cut. */
static int add_part(struct ssk_files *f, int which, int64_t member, int64_t from, int64_t to,
                    ssk_err *err) {
  struct ssk_files_store *store = f->store;
  if (from >= to)
    return SSK_OK;
  if (which == SSK_TRAIN)
    return add_run(store, member, from, to - from, err);
  from -= f->overlap < from ? f->overlap : from;
  if (!f->test_length || to - from <= f->test_length)
    return add_run(store, member, from, to - from, err);
  int64_t stride = f->test_stride ? f->test_stride : f->test_length - f->overlap;
  int code = SSK_OK;
  for (int64_t at = from; !code && at + f->test_length <= to; at += stride)
    code = add_run(store, member, at, f->test_length, err);
  return code;
}

/* The parts of one member that are of the split, in the order of time. */
static int split_member(struct ssk_files *f, int which, int64_t i, ssk_err *err) {
  struct ssk_files_store *store = f->store;
  const struct member *member = &store->member[i];
  int64_t from = 0, to = member->steps;
  if (member->split_of_step) {
    int code = SSK_OK;
    for (int64_t t = 0, next; !code && t < member->steps; t = next) {
      int of = member->split_of_step[t];
      for (next = t + 1; next < member->steps && member->split_of_step[next] == of; next++)
        ;
      code = of == which ? add_part(f, which, i, t, next, err) : SSK_OK;
    }
    return code;
  }
  if (member->split >= 0)
    return member->split == which ? add_part(f, which, i, from, to, err) : SSK_OK;
  if (f->split_by == SSK_FILES_BY_TIME) {
    part(&f->split, which, member->steps, &from, &to);
    return add_part(f, which, i, from, to, err);
  }
  part(&f->split, which, store->n_members, &from, &to);
  return i >= from && i < to ? add_part(f, which, i, 0, member->steps, err) : SSK_OK;
}

static int split_all(struct ssk_files *f, ssk_err *err) {
  struct ssk_files_store *store = f->store;
  int code = SSK_OK;
  for (int s = 0; !code && s < SSK_SPLIT_COUNT; s++) {
    for (int64_t i = 0; !code && i < store->n_members; i++)
      code = split_member(f, s, i, err);
    store->first[s + 1] = store->n_runs;
  }
  if (!code && store->first[SSK_TRAIN + 1] == 0)
    code = ssk_err_set(err, SSK_EDATA, "'%s' has no rows for training", store->file);
  return code;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static int read_file(struct ssk_files *f, const char *path, int split, ssk_files_reader *read,
                     ssk_err *err) {
  struct ssk_files_store *store = f->store;
  store->file = path;
  store->split = split;
  store->line = 0;
  if (access(path, F_OK) != 0) {
    ssk_err_set(err, SSK_EDATA, "there is no file '%s'", path);
    if (*f->source)
      ssk_err_hint(err, "%s", f->source);
    return SSK_EDATA;
  }
  int64_t before = store->n_members;
  int code = read(f, path, err);
  if (!code && store->n_members == before)
    code = ssk_err_set(err, SSK_EDATA, "'%s' has no series", path);
  return code;
}

int ssk_files_open(void *self, ssk_files_reader *read, ssk_err *err) {
  struct ssk_files *f = self;
  const char *const paths[SSK_SPLIT_COUNT] = {f->train, f->valid, f->test};
  ssk_files_done(f);
  struct ssk_files_store *store = f->store = calloc(1, sizeof *f->store);
  if (!store || !(store->sentinel = calloc((size_t)f->missing.n + 1, sizeof *store->sentinel)))
    return ssk_err_set(err, SSK_ENOMEM, "no memory for a data set");
  for (int i = 0; i < f->missing.n; i++)
    if (ssk_files_number(f->missing.items[i], &store->sentinel[store->n_sentinels]))
      store->n_sentinels++;
  int code = *f->path ? read_file(f, f->path, -1, read, err) : SSK_OK;
  for (int s = 0; !code && !*f->path && s < SSK_SPLIT_COUNT; s++)
    code = *paths[s] ? read_file(f, paths[s], s, read, err) : SSK_OK;
  return code ? code : split_all(f, err);
}

void ssk_files_done(void *self) {
  struct ssk_files *f = self;
  struct ssk_files_store *store = f->store;
  if (!store)
    return;
  for (int64_t i = 0; i < store->n_members; i++) {
    free(store->member[i].name);
    free(store->member[i].split_of_step);
  }
  for (int k = 0; k < store->names.n; k++)
    free((char *)store->names.items[k]);
  free(store->names.items);
  for (int k = 0; k < store->left_out.n; k++)
    free((char *)store->left_out.items[k]);
  free(store->left_out.items);
  free(store->sentinel);
  free(store->rows);
  free(store->statics);
  free(store->member);
  free(store->run);
  free(store);
  f->store = NULL;
}

/* ---- slots ----------------------------------------------------------------------------------- */

void ssk_files_shape(const void *self, struct ssk_data_shape *out) {
  const struct ssk_files_store *store = ((const struct ssk_files *)self)->store;
  *out = (struct ssk_data_shape){.size = sizeof *out,
                                 .D = store->D,
                                 .V = store->V,
                                 .E = store->E,
                                 .max_length = store->longest};
}

void ssk_files_names(const void *self, struct ssk_strings *out) {
  *out = ((const struct ssk_files *)self)->store->names;
}

int64_t ssk_files_count(const void *self, enum ssk_split split) {
  const struct ssk_files_store *store = ((const struct ssk_files *)self)->store;
  return store->first[split + 1] - store->first[split];
}

int ssk_files_fill(const void *self, enum ssk_split split, int64_t i, struct ssk_series *out,
                   ssk_err *err) {
  const struct ssk_files_store *store = ((const struct ssk_files *)self)->store;
  const struct run *run = &store->run[store->first[split] + i];
  const int D = store->D, V = store->V;
  const double *row = store->rows + (store->member[run->member].first + run->first) * (D + V);
  (void)err;
  out->length = run->length;
  for (int t = 0; t < run->length; t++, row += D + V) {
    for (int k = 0; k < D; k++) {
      out->x[t * D + k] = isnan(row[k]) ? 0 : row[k];
      out->mask[t * D + k] = !isnan(row[k]);
    }
    for (int k = 0; k < V; k++)
      out->u[t * V + k] = row[D + k];
  }
  for (int k = 0; k < store->E; k++)
    out->s[k] = store->statics[run->member * store->E + k];
  return SSK_OK;
}

int ssk_files_length(const void *self, enum ssk_split split, int64_t i) {
  const struct ssk_files_store *store = ((const struct ssk_files *)self)->store;
  return store->run[store->first[split] + i].length;
}

bool ssk_files_name_series(const void *self) {
  return ((const struct ssk_files *)self)->store->named;
}

void ssk_files_origin(const void *self, enum ssk_split split, int64_t i,
                      struct ssk_series_origin *out) {
  const struct ssk_files_store *store = ((const struct ssk_files *)self)->store;
  const struct run *run = &store->run[store->first[split] + i];
  const struct member *member = &store->member[run->member];
  *out = (struct ssk_series_origin){
      .size = sizeof *out, .file = member->file, .name = member->name, .first = run->first};
}
