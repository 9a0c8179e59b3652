/* SPDX-License-Identifier: GPL-3.0-or-later */
/* file.h - whole files: read them, and write them so that a reader sees the old or the new one. */
#ifndef SSK_CORE_FILE_H
#define SSK_CORE_FILE_H

#include <sskit/err.h>
#include <stdint.h>

/* Read a whole regular file, at most `limit` bytes, into malloc'ed memory (plus a NUL that *size
 * does not count); the caller frees. */
int ssk_file_read(const char *path, size_t limit, char **data, size_t *size, ssk_err *err);
/* Write to a temporary beside `path`, fsync, rename, fsync the folder. A link stays one: the file
 * that it leads to is replaced. What is no file, a device or a pipe, is written into. */
int ssk_file_write(const char *path, const void *data, size_t size, ssk_err *err);
/* The same from several pieces without joining them in memory. */
struct ssk_piece {
  const void *data;
  size_t size;
};
int ssk_file_write_pieces(const char *path, const struct ssk_piece *pieces, int n, ssk_err *err);
bool ssk_file_exists(const char *path);
/* Create a folder and its parents; fine if it exists. */
int ssk_folder_make(const char *path, ssk_err *err);
/* Create `path` itself, which must not exist (parents are created): SSK_EIO when it does. */
int ssk_folder_claim(const char *path, ssk_err *err);
/* malloc'ed "folder/name"; the caller frees. */
char *ssk_path_join(const char *folder, const char *name);
/* malloc'ed folder part of a path ("." when it has none); the caller frees. */
char *ssk_path_folder(const char *path);
/* malloc'ed: the same path from the root; the caller frees. */
char *ssk_path_absolute(const char *path);

#endif
