/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kind.c - the names of the kinds of component, as recipes and messages write them. */
#include "recipe/schema.h"
#include <string.h>

static const char *const names[SSK_KIND_COUNT] = {
    [SSK_DATASET] = "dataset",   [SSK_SUMMARY] = "summary",     [SSK_ENCODER] = "encoder",
    [SSK_EMISSION] = "emission", [SSK_INITIAL] = "initial",     [SSK_TRANSITION] = "transition",
    [SSK_SCHEDULE] = "schedule", [SSK_DENOISER] = "denoiser",   [SSK_MIXER] = "mixer",
    [SSK_SAMPLER] = "sampler",   [SSK_OBJECTIVE] = "objective", [SSK_METRIC] = "metric",
    [SSK_NETWORK] = "network",
};

const char *ssk_kind_name(enum ssk_kind kind) {
  return (unsigned)kind < SSK_KIND_COUNT ? names[kind] : "unknown";
}

int ssk_kind_by_name(const char *name) {
  for (int i = 0; name && i < SSK_KIND_COUNT; i++)
    if (strcmp(names[i], name) == 0)
      return i;
  return -1;
}
