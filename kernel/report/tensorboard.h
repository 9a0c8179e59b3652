/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tensorboard.h - the course of a training for TensorBoard: the scalars of metrics.jsonl as a file
 * of events. The file is a function of metrics.jsonl, which stays the truth: it can be made at any
 * time, and again. */
#ifndef SSK_REPORT_TENSORBOARD_H
#define SSK_REPORT_TENSORBOARD_H

#include <sskit/err.h>
#include <stdint.h>

#define SSK_TENSORBOARD_FILE "events.out.tfevents.0000000000.sskit"

/* Bring the events of the run directory `path` up to date. What a reader has seen stays where it is
 * and new events are appended, so that TensorBoard follows a training; after a resume that went
 * back, the file is written anew. *events: how many it has. SSK_EIO where it is no run. */
int ssk_tensorboard_write(const char *path, int64_t *events, ssk_err *err);

#endif
