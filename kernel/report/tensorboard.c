/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tensorboard.c - metrics.jsonl as a file of TensorBoard's events.
 *
 * A record is the length of an event (8 bytes), its masked checksum, the event, its masked
 * checksum; all little-endian, checksums CRC-32C (tensorflow/core/lib/io/record_writer.h). An event
 * is a protocol buffer (tensorflow/core/util/event.proto), of which these fields are written:
 *
 *     Event          1 wall_time: double, 2 step: int64, 3 file_version: string, 5 summary: Summary
 *     Summary        1 value: Value
 *     Summary.Value  1 tag: string, 2 simple_value: float
 */
#include "report/tensorboard.h"

#include "core/file.h"
#include "report/runs.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const size_t file_limit = (size_t)1 << 32;

/* ---- records ----------------------------------------------------------------------------------
 */

/* Castagnoli's polynomial, reversed. */
static uint32_t crc32c(const unsigned char *data, size_t size) {
  uint32_t crc = ~0u;
  for (size_t i = 0; i < size; i++) {
    crc ^= data[i];
    for (int bit = 0; bit < 8; bit++)
      crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
  }
  return ~crc;
}

/* Bytes that grow: a stream into memory. */
struct bytes {
  char *data;
  size_t size;
  FILE *stream; /* NULL: no memory */
};

static void bytes_open(struct bytes *b) {
  *b = (struct bytes){0};
  b->stream = open_memstream(&b->data, &b->size);
}

/* To be read; false: no memory. */
static bool bytes_end(struct bytes *b) {
  return b->stream && !ferror(b->stream) && fflush(b->stream) == 0;
}

static void bytes_close(struct bytes *b) {
  if (b->stream)
    fclose(b->stream);
  free(b->data);
}

static void add_bytes(struct bytes *out, const void *bytes, size_t size) {
  if (out->stream)
    fwrite(bytes, 1, size, out->stream);
}

static void add_byte(struct bytes *out, int byte) {
  if (out->stream)
    putc(byte, out->stream);
}

/* The lowest `size` bytes, the lowest first. */
static void add_fixed(struct bytes *out, uint64_t value, int size) {
  for (int i = 0; i < size; i++)
    add_byte(out, (int)(value >> (8 * i) & 255));
}

static void add_masked(struct bytes *out, const void *data, size_t size) {
  const uint32_t crc = crc32c(data, size);
  add_fixed(out, ((crc >> 15) | (crc << 17)) + 0xa282ead8u, 4);
}

static void add_record(struct bytes *out, struct bytes *event) {
  if (!bytes_end(event))
    return;
  unsigned char length[8];
  for (int i = 0; i < 8; i++)
    length[i] = (unsigned char)(event->size >> (8 * i) & 255);
  add_bytes(out, length, sizeof length);
  add_masked(out, length, sizeof length);
  add_bytes(out, event->data, event->size);
  add_masked(out, event->data, event->size);
}

/* ---- protocol buffers -------------------------------------------------------------------------
 */

enum wire { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

static void add_varint(struct bytes *out, uint64_t value) {
  for (; value > 127; value >>= 7)
    add_byte(out, (int)((value & 127) | 128));
  add_byte(out, (int)value);
}

static void add_key(struct bytes *out, int field, enum wire wire) {
  add_varint(out, (uint64_t)(field << 3 | (int)wire));
}

static void add_field(struct bytes *out, int field, const char *bytes, size_t size) {
  add_key(out, field, BYTES);
  add_varint(out, size);
  add_bytes(out, bytes, size);
}

static void add_double(struct bytes *out, int field, double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  add_key(out, field, FIXED64);
  add_fixed(out, bits, 8);
}

static void add_float(struct bytes *out, int field, float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  add_key(out, field, FIXED32);
  add_fixed(out, bits, 4);
}

/* ---- what a line says -------------------------------------------------------------------------
 */

static void add_value(struct bytes *summary, const char *tag, const json_t *value) {
  struct bytes one;
  bytes_open(&one);
  add_field(&one, 1, tag, strlen(tag));
  add_float(&one, 2, (float)json_number_value(value));
  if (bytes_end(&one))
    add_field(summary, 1, one.data, one.size);
  bytes_close(&one);
}

/* All numbers of a line, as KIND/KEY, those of a list as KIND/KEY/0, KIND/KEY/1, ... What is null
 * was not finite, and is left out. */
static void summarise(struct bytes *summary, const char *kind, json_t *line) {
  const char *key;
  json_t *value, *item;
  size_t i;
  json_object_foreach(line, key, value) {
    char tag[160];
    snprintf(tag, sizeof tag, "%s/%s", kind, key);
    if (json_is_number(value) && strcmp(key, "step") != 0)
      add_value(summary, tag, value);
    json_array_foreach(value, i, item) {
      snprintf(tag, sizeof tag, "%s/%s/%zu", kind, key, i);
      if (json_is_number(item))
        add_value(summary, tag, item);
    }
  }
}

static void add_line(struct bytes *out, double started, json_t *line) {
  struct bytes event, summary;
  bytes_open(&event);
  bytes_open(&summary);
  const char *kind = json_string_value(json_object_get(line, "kind"));
  summarise(&summary, kind ? kind : "other", line);
  add_double(&event, 1, started + json_number_value(json_object_get(line, "time_seconds")));
  add_key(&event, 2, VARINT);
  add_varint(&event, (uint64_t)json_integer_value(json_object_get(line, "step")));
  if (bytes_end(&summary))
    add_field(&event, 5, summary.data, summary.size);
  add_record(out, &event);
  bytes_close(&summary);
  bytes_close(&event);
}

static void add_version(struct bytes *out, double started) {
  static const char version[] = "brain.Event:2";
  struct bytes event;
  bytes_open(&event);
  add_double(&event, 1, started);
  add_field(&event, 3, version, strlen(version));
  add_record(out, &event);
  bytes_close(&event);
}

/* All whole lines; how many in *events. */
static void convert(struct bytes *out, double started, const char *metrics, int64_t *events) {
  add_version(out, started);
  for (const char *end; (end = strchr(metrics, '\n')); metrics = end + 1) {
    json_t *line = json_loadb(metrics, (size_t)(end - metrics), 0, NULL);
    if (json_is_object(line)) {
      add_line(out, started, line);
      ++*events;
    }
    json_decref(line);
  }
}

/* ---- the file ---------------------------------------------------------------------------------
 */

static int append(const char *path, const char *data, size_t size, ssk_err *err) {
  int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC), code = SSK_OK;
  for (size_t done = 0; fd >= 0 && done < size;) {
    const ssize_t put = write(fd, data + done, size - done);
    if (put < 0 && errno != EINTR)
      break;
    done += put > 0 ? (size_t)put : 0;
    code = done < size ? SSK_EIO : SSK_OK;
  }
  if (fd < 0 || code)
    code = ssk_err_set(err, SSK_EIO, "cannot write '%s': %s", path, strerror(errno));
  if (fd >= 0)
    close(fd);
  return code;
}

/* Append what is new, where the file holds the beginning already; else replace it. */
static int bring_up_to_date(const char *path, const struct bytes *wanted, ssk_err *err) {
  char *there = NULL;
  size_t size = 0;
  int code = ssk_file_exists(path) ? ssk_file_read(path, file_limit, &there, &size, err) : SSK_OK;
  if (!code && size && size <= wanted->size && memcmp(there, wanted->data, size) == 0)
    code = append(path, wanted->data + size, wanted->size - size, err);
  else if (!code)
    code = ssk_file_write(path, wanted->data, wanted->size, err);
  free(there);
  return code;
}

/* Of a time as environment.json has it; 0 where it is none. */
static double seconds_of(const char *utc) {
  struct tm tm = {0};
  if (sscanf(utc, "%4d-%2d-%2dT%2d:%2d:%2d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
             &tm.tm_min, &tm.tm_sec) != 6)
    return 0;
  tm.tm_year -= 1900;
  tm.tm_mon--;
  return (double)timegm(&tm);
}

int ssk_tensorboard_write(const char *path, int64_t *events, ssk_err *err) {
  struct ssk_runs runs = {0};
  struct bytes out;
  char *from = ssk_path_join(path, "metrics.jsonl"),
       *to = ssk_path_join(path, SSK_TENSORBOARD_FILE), *metrics = NULL;
  size_t size;
  *events = 0;
  bytes_open(&out);
  int code = ssk_runs_add(&runs, path, err);
  if (!code && (!from || !to))
    code = ssk_err_set(err, SSK_ENOMEM, "no memory for '%s'", path);
  code = code ? code : ssk_file_read(from, file_limit, &metrics, &size, err);
  if (!code) {
    convert(&out, seconds_of(runs.items[0].started), metrics, events);
    code = bytes_end(&out) ? bring_up_to_date(to, &out, err)
                           : ssk_err_set(err, SSK_ENOMEM, "no memory for '%s'", to);
  }
  bytes_close(&out);
  ssk_runs_free(&runs);
  free(metrics);
  free(from);
  free(to);
  return code;
}
