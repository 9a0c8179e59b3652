/* SPDX-License-Identifier: GPL-3.0-or-later */
/* file.c - whole files. Writing goes to a temporary beside the target, which is synced and renamed
 * over it: after a crash a reader finds the old file or the new one, never half of one. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* asprintf */
#endif
#include "core/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int refuse(ssk_err *err, const char *what, const char *path, int number) {
  errno = number; /* for %m */
  return ssk_err_set(err, number == ENOMEM ? SSK_ENOMEM : SSK_EIO, "cannot %s '%s': %m", what,
                     path);
}

/* Read until the end or until `most` bytes; -1 on error. */
static ssize_t read_all(int fd, char *data, size_t most) {
  size_t n = 0;
  while (n < most) {
    ssize_t got = read(fd, data + n, most - n);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return -1;
    if (got == 0)
      break;
    n += (size_t)got;
  }
  return (ssize_t)n;
}

static int read_open_file(int fd, const char *path, size_t limit, char **data, size_t *size,
                          ssk_err *err) {
  struct stat info;
  if (fstat(fd, &info))
    return refuse(err, "read", path, errno);
  if (S_ISDIR(info.st_mode))
    return refuse(err, "read", path, EISDIR);
  if (!S_ISREG(info.st_mode))
    return ssk_err_set(err, SSK_EIO, "cannot read '%s': not a regular file", path);
  size_t length = (size_t)info.st_size;
  if (length > limit)
    return ssk_err_set(err, SSK_EIO, "cannot read '%s': larger than %zu bytes", path, limit);
  char *bytes = malloc(length + 1);
  if (!bytes)
    return refuse(err, "read", path, ENOMEM);
  ssize_t n = read_all(fd, bytes, length);
  if (n < 0) {
    int number = errno;
    free(bytes);
    return refuse(err, "read", path, number);
  }
  bytes[n] = 0;
  *data = bytes;
  *size = (size_t)n;
  return SSK_OK;
}

int ssk_file_read(const char *path, size_t limit, char **data, size_t *size, ssk_err *err) {
  *data = NULL;
  *size = 0;
  /* O_NONBLOCK: opening a named pipe must not wait for its writer. */
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return refuse(err, "read", path, errno);
  int code = read_open_file(fd, path, limit, data, size, err);
  close(fd);
  return code;
}

static bool write_all(int fd, const char *data, size_t size) {
  while (size > 0) {
    ssize_t put = write(fd, data, size);
    if (put < 0 && errno == EINTR)
      continue;
    if (put < 0)
      return false;
    data += put;
    size -= (size_t)put;
  }
  return true;
}

/* Small pieces are gathered: a checkpoint has hundreds of them, and a call of the system each would
 * take longer than the writing. */
static bool write_pieces(int fd, const struct ssk_piece *pieces, int n) {
  char gathered[1 << 14];
  size_t fill = 0;
  for (int i = 0; i < n; i++) {
    const bool fits = pieces[i].size <= sizeof gathered - fill;
    if (!fits) {
      if (!write_all(fd, gathered, fill))
        return false;
      fill = 0;
    }
    if (pieces[i].size > sizeof gathered) {
      if (!write_all(fd, pieces[i].data, pieces[i].size))
        return false;
    } else if (pieces[i].size > 0) {
      memcpy(gathered + fill, pieces[i].data, pieces[i].size);
      fill += pieces[i].size;
    }
  }
  return write_all(fd, gathered, fill);
}

/* Make the renaming itself durable. Some file systems cannot sync a folder: that is no failure. */
static bool sync_folder_of(const char *path) {
  char *folder = ssk_path_folder(path);
  int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  free(folder);
  if (fd < 0)
    return false;
  bool fine = fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP;
  int number = errno;
  close(fd);
  errno = number;
  return fine;
}

/* A new file beside `path`, and its malloc'ed name. A process that was killed may have left some of
 * the names, also one with this number: in a container, or on another machine. */
static int open_temporary(const char *path, char **name) {
  static atomic_uint serial;
  int fd = -1;
  for (int attempt = 0; fd < 0 && attempt < 1000; attempt++) {
    free(*name);
    if (asprintf(name, "%s.tmp%ld-%u", path, (long)getpid(), atomic_fetch_add(&serial, 1)) < 0) {
      *name = NULL;
      errno = ENOMEM;
      return -1;
    }
    fd = open(*name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno != EEXIST)
      return -1;
  }
  return fd;
}

/* Into what is there: a device, a pipe. */
static int write_into(const char *path, const struct ssk_piece *pieces, int n, ssk_err *err) {
  int number = 0, fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0)
    return refuse(err, "write", path, errno);
  if (!write_pieces(fd, pieces, n))
    number = errno;
  if (close(fd) && !number)
    number = errno;
  return number ? refuse(err, "write", path, number) : SSK_OK;
}

/* Beside it, and in its place when all is written: nobody sees half a file. */
static int replace(const char *path, const struct ssk_piece *pieces, int n, ssk_err *err) {
  char *temporary = NULL;
  int number = 0, fd = open_temporary(path, &temporary);
  if (fd < 0) {
    number = errno;
    free(temporary);
    return refuse(err, "write", path, number);
  }
  if (!write_pieces(fd, pieces, n) || fsync(fd))
    number = errno;
  if (close(fd) && !number)
    number = errno;
  if (!number && rename(temporary, path))
    number = errno;
  if (number)
    unlink(temporary);
  else if (!sync_folder_of(path))
    number = errno;
  free(temporary);
  return number ? refuse(err, "write", path, number) : SSK_OK;
}

int ssk_file_write_pieces(const char *path, const struct ssk_piece *pieces, int n, ssk_err *err) {
  struct stat info;
  if (stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode))
    return write_into(path, pieces, n, err);
  /* of a link, what it leads to is replaced, if that is there */
  char *target = lstat(path, &info) == 0 && S_ISLNK(info.st_mode) ? realpath(path, NULL) : NULL;
  const int code = replace(target ? target : path, pieces, n, err);
  free(target);
  return code;
}

int ssk_file_write(const char *path, const void *data, size_t size, ssk_err *err) {
  return ssk_file_write_pieces(path, &(struct ssk_piece){data, size}, 1, err);
}

bool ssk_file_exists(const char *path) {
  struct stat info;
  return stat(path, &info) == 0;
}

static bool is_folder(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* mkdir, where an existing folder is fine. */
static bool make_one(const char *path) {
  return mkdir(path, 0777) == 0 || (errno == EEXIST && is_folder(path));
}

int ssk_folder_make(const char *path, ssk_err *err) {
  if (is_folder(path))
    return SSK_OK;
  char *partial = strdup(path);
  if (!partial)
    return refuse(err, "create folder", path, ENOMEM);
  int code = SSK_OK;
  for (char *c = partial + (*partial == '/'); *c && !code; c++) {
    if (*c != '/')
      continue;
    *c = 0;
    if (*partial && !make_one(partial))
      code = refuse(err, "create folder", partial, errno);
    *c = '/';
  }
  if (!code && !make_one(path))
    code = refuse(err, "create folder", path, errno);
  free(partial);
  return code;
}

int ssk_folder_claim(const char *path, ssk_err *err) {
  char *above = ssk_path_folder(path);
  if (!above)
    return refuse(err, "create folder", path, ENOMEM);
  int code = ssk_folder_make(above, err);
  free(above);
  if (!code && mkdir(path, 0777))
    code = refuse(err, "create folder", path, errno);
  return code;
}

char *ssk_path_absolute(const char *path) {
  if (path[0] == '/')
    return strdup(path);
  char *here = getcwd(NULL, 0), *full = here ? ssk_path_join(here, path) : NULL;
  free(here);
  return full;
}

char *ssk_path_join(const char *folder, const char *name) {
  size_t n = strlen(folder);
  char *joined = NULL;
  const char *slash = n > 0 && folder[n - 1] == '/' ? "" : "/";
  return asprintf(&joined, "%s%s%s", folder, slash, name) < 0 ? NULL : joined;
}

char *ssk_path_folder(const char *path) {
  size_t n = strlen(path);
  while (n > 1 && path[n - 1] == '/') /* "a/b/" lies in "a" */
    n--;
  while (n > 0 && path[n - 1] != '/')
    n--;
  if (n == 0)
    return strdup(".");
  while (n > 1 && path[n - 1] == '/')
    n--;
  return strndup(path, n);
}
