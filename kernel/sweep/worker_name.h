/* SPDX-License-Identifier: GPL-3.0-or-later */
/* worker_name.h - processes named so that others on the same machine can tell whether they live. */
#ifndef SSK_SWEEP_WORKER_NAME_H
#define SSK_SWEEP_WORKER_NAME_H

#include <stdbool.h>

enum { SSK_WORKER_NAME = 256 };
/* "host boot:namespace process start" of this process. */
void ssk_worker_name(char name[SSK_WORKER_NAME]);
/* Whether the named process is known to be dead: it was of this machine, and is gone. */
bool ssk_worker_dead(const char *name);

#endif
