/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ranks.h - the processes that share one training: rank 0 leads (it alone writes and prints), the
 * others follow. What is shared out (shards, chunks of series, ranges of weights) is cut into one
 * block of neighbours a rank. The only file that knows MPI is ranks.c; in a build without it, and
 * in a process that no launcher started, a process is alone, and every call here does nothing.
 *
 * NULL stands for a process that is alone. Except where it says otherwise, every rank must make the
 * same calls in the same order: a rank that fails calls ssk_ranks_agree, it does not just leave. */
#ifndef SSK_TRAIN_RANKS_H
#define SSK_TRAIN_RANKS_H

#include <sskit/err.h>
#include <stddef.h>
#include <stdint.h>

struct ssk_ranks;

/* The MPI library that this build uses and its version, into text; false without one. Not
 * collective. */
bool ssk_ranks_library(char *text, size_t n);
/* The environment says that this process was started as another rank than 0. Not collective, and
 * known before ssk_ranks_start. */
bool ssk_ranks_started_as_follower(void);

/* Find the other ranks; *out is NULL for a process that is alone. SSK_EUSAGE where the environment
 * tells of several processes that cannot reach each other. */
int ssk_ranks_start(struct ssk_ranks **out, ssk_err *err);
/* Waits for all ranks. */
void ssk_ranks_end(struct ssk_ranks *ranks);

/* The numbers of the ranks and of this one, and what follows from them; not collective. */
int ssk_ranks_count(const struct ssk_ranks *ranks);
int ssk_ranks_self(const struct ssk_ranks *ranks);
bool ssk_ranks_lead(const struct ssk_ranks *ranks);
/* Threads for this process where nobody said how many: its processors, which unbound ranks of one
 * machine share. */
int ssk_ranks_threads(const struct ssk_ranks *ranks);

/* Of n things that are shared out: the first of a rank's block (for rank = count: n), and the rank
 * that has a thing. Blocks differ by one thing at most; with more ranks than things, some are
 * empty. Not collective. */
int64_t ssk_ranks_first(const struct ssk_ranks *ranks, int rank, int64_t n);
int ssk_ranks_owner(const struct ssk_ranks *ranks, int64_t thing, int64_t n);

/* ---- moving data. A connection that breaks ends the processes: MPI says how. ---- */

/* n entries of `size` bytes, of which each rank has filled in its block: now all have all. */
void ssk_ranks_gather(const struct ssk_ranks *ranks, void *entries, int64_t n, size_t size);
/* `size` bytes of rank 0, to all. */
void ssk_ranks_broadcast(const struct ssk_ranks *ranks, void *data, size_t size);
/* A message from or to another rank; a tag tells the messages of one pair of ranks apart. */
struct ssk_message {
  int rank, tag;
  bool outgoing;
  void *data;
  size_t size; /* bytes, at most INT_MAX */
};
/* Send and receive all of them. */
void ssk_ranks_exchange(struct ssk_ranks *ranks, const struct ssk_message *messages, int n);

/* ---- agreements ---- */

/* The code of the first rank whose `code` is not SSK_OK, with its latest diagnostic in the err of
 * those that had none. */
int ssk_ranks_agree(const struct ssk_ranks *ranks, int code, ssk_err *err);
/* The same, and *wish becomes the largest of the ranks' wishes. */
int ssk_ranks_meet(const struct ssk_ranks *ranks, int code, int *wish, ssk_err *err);
/* SSK_EFAIL where a hash is not rank 0's: `what` differs. */
int ssk_ranks_compare(const struct ssk_ranks *ranks, uint64_t hash, const char *what, ssk_err *err);
/* The malloc'ed text of rank 0 (which may be NULL), to all; on the others *text is set. */
int ssk_ranks_share_text(const struct ssk_ranks *ranks, char **text, size_t *size, ssk_err *err);

#endif
