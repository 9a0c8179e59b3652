/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/observations.h"
#include <errno.h>
#include <jansson.h>
#include <sskit/files.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- what the recipe says ---------------------------------------------------------------------
 */

/* The member of the data set's struct that a row of this name and type fills; NULL: none. */
static const void *parameter(const struct ssk_instance *data, const char *name,
                             enum ssk_type type) {
  for (const struct ssk_param *row = data->component->params; row && row->name; row++)
    if (strcmp(row->name, name) == 0 && row->type == type)
      return (const char *)data->self + row->offset;
  return NULL;
}

/* The names of all values in the order of the model: of the recipe, or else of the files that it
 * was trained on; NULL where neither has them. */
static int find_names(struct ssk_observations *in, const struct ssk_strings *trained,
                      ssk_err *err) {
  const struct ssk_strings *columns = parameter(in->data, "columns", SSK_T_STRINGS);
  columns = columns && columns->n ? columns : trained;
  const struct ssk_strings *covariates = parameter(in->data, "covariates", SSK_T_STRINGS);
  if (columns->n != in->D || (in->V && (!covariates || covariates->n != in->V)))
    return SSK_OK;
  in->wanted = calloc((size_t)(in->D + in->V), sizeof *in->wanted);
  if (!in->wanted)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for %d names", in->D + in->V);
  for (int k = 0; k < in->D + in->V; k++)
    in->wanted[k] = k < in->D ? columns->items[k] : covariates->items[k - in->D];
  return SSK_OK;
}

int ssk_observations_open(struct ssk_observations *in, FILE *stream, const char *name,
                          const struct ssk_data *data, ssk_err *err) {
  const int D = data->shape.D, V = data->shape.V;
  *in = (struct ssk_observations){
      .stream = stream, .name = name, .data = data->dataset, .D = D, .V = V, .delimiter = ','};
  in->place = calloc((size_t)(D + V), sizeof *in->place);
  in->value = calloc((size_t)(D + V), sizeof *in->value);
  if (!in->place || !in->value)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for %d values", D + V);
  for (int k = 0; k < D + V; k++)
    in->place[k] = k;
  if (!ssk_data_reads_files(in->data))
    return SSK_OK;
  const char *const *delimiter = parameter(in->data, "delimiter", SSK_T_STRING);
  if (delimiter)
    in->delimiter = **delimiter;
  return find_names(in, &data->names, err);
}

int ssk_observations_check(const struct ssk_observations *in, ssk_err *err) {
  const struct ssk_strings *calendar =
      ssk_data_reads_files(in->data) ? parameter(in->data, "calendar", SSK_T_STRINGS) : NULL;
  if (!calendar || !calendar->n)
    return SSK_OK;
  ssk_err_set(err, SSK_EDATA,
              "the data set makes covariates of the calendar, which a stream does not have");
  ssk_err_hint(err, "'--data FILE' reads a file with times");
  return SSK_EDATA;
}

void ssk_observations_close(struct ssk_observations *in) {
  free(in->text);
  free(in->place);
  free(in->value);
  free(in->wanted);
  *in = (struct ssk_observations){0};
}

/* ---- lines ----------------------------------------------------------------------------------- */

int ssk_observations_wait(struct ssk_observations *in, bool *end, ssk_err *err) {
  ssize_t length;
  do {
    errno = 0;
    length = getline(&in->text, &in->room, in->stream);
    in->line++;
    while (length > 0 && strchr("\r\n", in->text[length - 1]))
      in->text[--length] = '\0';
    if (in->line == 1 && length >= 3 && memcmp(in->text, "\xEF\xBB\xBF", 3) == 0)
      memmove(in->text, in->text + 3, (size_t)length - 2); /* a byte-order mark */
  } while (length == 0);
  *end = length < 0;
  if (length < 0 && ferror(in->stream))
    return ssk_err_set(err, SSK_EIO, "cannot read %s: %s", in->name, strerror(errno));
  return SSK_OK;
}

SSK_PRINTF(4, 5)
static int bad(const struct ssk_observations *in, const char *at, ssk_err *err, const char *format,
               ...) {
  char message[256];
  va_list args;
  va_start(args, format);
  vsnprintf(message, sizeof message, format, args);
  va_end(args);
  const struct ssk_pos pos = {
      .file = in->name, .line = in->line, .column = (int)(at - in->text) + 1, .width = 1};
  return ssk_err_at(err, SSK_EDATA, &pos, "%s", message);
}

/* A number, or NaN for what stands for a missing one; false for any other text. */
static bool number_of(const struct ssk_observations *in, const char *cell, double *value) {
  cell += strspn(cell, " \t");
  if (*cell == '\0' || !strcmp(cell, "NA") || !strcmp(cell, "NaN") || !strcmp(cell, "nan") ||
      (ssk_data_reads_files(in->data) && ssk_files_missing(in->data->self, cell))) {
    *value = NAN;
    return true;
  }
  return ssk_files_number(cell, value);
}

/* Cut the line into cells where they are; the first `most` of them, and how many there are. */
static int cut(struct ssk_observations *in, char **cell, int most) {
  int n = 0;
  for (char *at = in->text; at; n++) {
    char *begin = at, *close = *at == '"' ? strchr(at + 1, '"') : NULL;
    at = strchr(close ? close : at, in->delimiter);
    if (at)
      *at++ = '\0';
    if (close) { /* a name in quotes */
      *close = '\0';
      begin++;
    }
    if (n < most)
      cell[n] = begin;
  }
  return n;
}

/* Not as many as the model has. */
static int misfit(const struct ssk_observations *in, int n, const char *what, ssk_err *err) {
  if (!in->V)
    return bad(in, in->text, err, "%d %s, but the model has %d dimensions", n, what, in->D);
  return bad(in, in->text, err, "%d %s, but the model has %d dimensions and %d covariates", n, what,
             in->D, in->V);
}

/* ---- a line of names --------------------------------------------------------------------------
 */

static int find_column(const struct ssk_observations *in, char **cell, int n, const char *name,
                       int *place, ssk_err *err) {
  for (int i = 0; i < n; i++)
    if (strcmp(cell[i], name) == 0) {
      *place = i;
      return SSK_OK;
    }
  const struct ssk_pos pos = {.file = in->name, .line = in->line, .column = 1, .width = 1};
  return ssk_files_no_column(&pos, name, NULL, (const char *const *)cell, n, err);
}

static int read_names(struct ssk_observations *in, char **cell, int n, ssk_err *err) {
  if (!in->wanted && n != in->D + in->V)
    return misfit(in, n, "columns", err);
  int code = SSK_OK;
  for (int k = 0; k < in->D + in->V && in->wanted && !code; k++)
    code = find_column(in, cell, n, in->wanted[k], &in->place[k], err);
  return code;
}

/* ---- observations -----------------------------------------------------------------------------
 */

/* Of value k, which stands at `at`. */
static int check_value(const struct ssk_observations *in, int k, const char *at, ssk_err *err) {
  if (isinf(in->value[k]))
    return bad(in, at, err, "an infinite value");
  if (k < in->D || !isnan(in->value[k]))
    return SSK_OK;
  return in->wanted ? bad(in, at, err, "the covariate '%s' is missing", in->wanted[k])
                    : bad(in, at, err, "covariate %d is missing", k - in->D);
}

/* What begins like a number, or is an infinite one, is nobody's name of a column. */
static bool can_be_name(const char *cell) {
  cell += strspn(cell, " \t");
  return !strchr("0123456789+-.", *cell) && strncasecmp(cell, "inf", 3) != 0;
}

static int read_cells(struct ssk_observations *in, bool *header, ssk_err *err) {
  const int most = in->cells ? in->cells : (int)strlen(in->text) + 1, all = in->D + in->V;
  char **cell = calloc((size_t)most, sizeof *cell);
  if (!cell)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for a line of %s", in->name);
  const int n = cut(in, cell, most);
  int code = SSK_OK;
  double value;
  bool names = !in->cells;
  for (int i = 0; i < n && names; i++)
    if (!number_of(in, cell[i], &value)) {
      *header = true;
      names = can_be_name(cell[i]);
    }
  *header = *header && names;
  if (*header)
    code = read_names(in, cell, n, err);
  else if (n != (in->cells ? in->cells : all))
    code = bad(in, in->text, err, "%d cells, where there should be %d", n,
               in->cells ? in->cells : all);
  for (int k = 0; k < all && !*header && !code; k++) {
    const char *text = cell[in->place[k]];
    if (!number_of(in, text, &in->value[k]))
      code = bad(in, text, err, "'%.40s' is not a finite number", text);
    else
      code = check_value(in, k, text, err);
  }
  if (!code)
    in->cells = n;
  free(cell);
  return code;
}

/* null, "NaN" and what stands for missing in a cell are missing. */
static bool json_number_of(const struct ssk_observations *in, const json_t *value, double *out) {
  char number[32];
  const char *text = json_string_value(value);
  if (json_is_number(value) && ssk_data_reads_files(in->data))
    text = ssk_text_double(number, json_number_value(value));
  const bool missing =
      json_is_null(value) || (text && strcmp(text, "NaN") == 0) ||
      (text && ssk_data_reads_files(in->data) && ssk_files_missing(in->data->self, text));
  *out = missing ? NAN : json_number_value(value);
  return missing || json_is_number(value);
}

static int read_json(const struct ssk_observations *in, ssk_err *err) {
  json_error_t reason;
  json_t *line = json_loads(in->text, 0, &reason);
  if (!line)
    return bad(in, in->text + (reason.position > 0 ? reason.position - 1 : 0), err, "%s",
               reason.text);
  const int all = in->D + in->V;
  int code = SSK_OK;
  if (json_is_object(line) && !in->wanted)
    code =
        bad(in, in->text, err, "an object, but the recipe has no names of columns: write a list");
  else if (json_is_array(line) && (int)json_array_size(line) != all)
    code = misfit(in, (int)json_array_size(line), "values", err);
  for (int k = 0; k < all && !code; k++) {
    const json_t *value = json_is_array(line) ? json_array_get(line, (size_t)k)
                                              : json_object_get(line, in->wanted[k]);
    if (!value)
      code = bad(in, in->text, err, "there is no value '%s'", in->wanted[k]);
    else if (!json_number_of(in, value, &in->value[k]))
      code = bad(in, in->text, err, "value %d is not a number", k);
    else
      code = check_value(in, k, in->text, err);
  }
  json_decref(line);
  return code;
}

int ssk_observations_read(struct ssk_observations *in, double *x, double *u, bool *header,
                          ssk_err *err) {
  *header = false;
  const char *at = in->text + strspn(in->text, " \t");
  const int code = *at == '[' || *at == '{' ? read_json(in, err) : read_cells(in, header, err);
  if (code || *header)
    return code;
  memcpy(x, in->value, (size_t)in->D * sizeof *x);
  if (in->V)
    memcpy(u, in->value + in->D, (size_t)in->V * sizeof *u);
  return SSK_OK;
}
