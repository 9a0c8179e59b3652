/* SPDX-License-Identifier: GPL-3.0-or-later */
/* worker_name.c - a process number may be given again: with the time at which the process started,
 * the boot and the namespace that numbers belong to, the name is unique. */
#include "sweep/worker_name.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The machine's boot and the namespace of process numbers: where numbers mean the same. */
static void scope_of_numbers(char text[128]) {
  char boot[48] = "-", names[64] = "-";
  FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");
  if (file && fscanf(file, "%47s", boot) != 1)
    strcpy(boot, "-");
  if (file)
    fclose(file);
  ssize_t n = readlink("/proc/self/ns/pid", names, sizeof names - 1);
  if (n > 0)
    names[n] = 0;
  snprintf(text, 128, "%s:%s", boot, names);
}

/* When a process started, in ticks since the boot; false where there is none, or it is dead and
 * nobody has asked for its status yet. */
static bool start_of(long process, unsigned long long *start) {
  char path[48], line[1024];
  snprintf(path, sizeof path, "/proc/%ld/stat", process);
  FILE *file = fopen(path, "r");
  if (!file)
    return false;
  const bool read = fgets(line, sizeof line, file) != NULL;
  fclose(file);
  const char *rest = read ? strrchr(line, ')') : NULL; /* names of programs may have spaces */
  char state;
  return rest &&
         sscanf(rest + 1,
                " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu",
                &state, start) == 2 &&
         state != 'Z' && state != 'X';
}

void ssk_worker_name(char name[SSK_WORKER_NAME]) {
  char host[80] = "-", scope[128];
  unsigned long long start = 0;
  gethostname(host, sizeof host - 1);
  scope_of_numbers(scope);
  start_of((long)getpid(), &start);
  snprintf(name, SSK_WORKER_NAME, "%.79s %s %ld %llu", host, scope, (long)getpid(), start);
}

bool ssk_worker_dead(const char *name) {
  char host[80], scope[128], own[128];
  long process;
  unsigned long long start, found;
  if (sscanf(name, "%79s %127s %ld %llu", host, scope, &process, &start) != 4)
    return false;
  scope_of_numbers(own);
  return !strcmp(scope, own) && !(start_of(process, &found) && found == start);
}
