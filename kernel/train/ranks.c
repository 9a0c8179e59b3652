/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ranks.c - the processes that share one training: MPI, or one process without it. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* CPU_COUNT */
#endif
#include "train/ranks.h"

#include "core/pool.h"
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef SSK_MPI
#include <mpi.h>
#endif

/* ---- what the launcher says ----------------------------------------------------------------- */

/* The first of the variables that is a number; `none` when there is none. */
static int variable(const char *const *names, int none) {
  for (; *names; names++) {
    const char *text = getenv(*names);
    char *end;
    const long value = text ? strtol(text, &end, 10) : -1;
    if (value >= 0 && value <= INT_MAX && end != text && !*end)
      return (int)value;
  }
  return none;
}

/* Open MPI's mpirun; other launchers by the interface PMI. */
static int launched(void) {
  static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", NULL};
  return variable(names, 1);
}

/* PMIx, by which srun starts Open MPI, tells the rank only. */
static int launched_rank(void) {
  static const char *const names[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", NULL};
  return variable(names, -1);
}

bool ssk_ranks_started_as_follower(void) {
  return launched_rank() > 0;
}

/* Several processes were started, and this one is alone. */
static int refuse_to_be_alone(ssk_err *err) {
  char library[64];
  if (ssk_ranks_library(library, sizeof library)) {
    ssk_err_set(err, SSK_EUSAGE,
                "%d processes were started, but %s does not connect them: they would all do the "
                "same work",
                launched(), library);
    ssk_err_hint(err, "start them with the launcher of that library");
  } else {
    ssk_err_set(err, SSK_EUSAGE,
                "%d processes were started, but this sskit was built without MPI: they would all "
                "do the same work",
                launched());
    ssk_err_hint(err, "start one process, or build with './configure --with-mpi'");
  }
  return SSK_EUSAGE;
}

/* ---- with and without MPI ------------------------------------------------------------------- */

#ifdef SSK_MPI
struct ssk_ranks {
  int count, self;
  int threads;         /* by default */
  int *sizes, *starts; /* of blocks, in bytes; [count] */
  MPI_Request *requests;
  int n_requests; /* allocated */
};

bool ssk_ranks_library(char *text, size_t n) {
  char version[MPI_MAX_LIBRARY_VERSION_STRING];
  int length;
  MPI_Get_library_version(version, &length);
  snprintf(text, n, "%.*s", (int)strcspn(version, ",\n"), version);
  return true;
}

static _Noreturn void out_of_memory(void) {
  fputs("sskit: error: no memory for messages between ranks\n", stderr);
  MPI_Abort(MPI_COMM_WORLD, SSK_ENOMEM);
  abort();
}

/* Ranks of one machine that are not bound to processors of their own share them. */
static int fair_threads(void) {
  MPI_Comm machine;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine);
  int ranks;
  MPI_Comm_size(machine, &ranks);
  cpu_set_t own, all;
  if (sched_getaffinity(0, sizeof own, &own))
    CPU_ZERO(&own);
  MPI_Allreduce(&own, &all, (int)sizeof own, MPI_BYTE, MPI_BOR, machine);
  MPI_Comm_free(&machine);
  const int share = CPU_COUNT(&all) / ranks, most = ssk_pool_default_threads();
  return share < 1 ? 1 : share < most ? share : most;
}

static int start(struct ssk_ranks **out, ssk_err *err) {
  if (launched_rank() < 0) /* without a launcher, MPI would only take time */
    return SSK_OK;
  /* Open MPI waits by spinning. Where processes are more than processors, or others need them too,
   * that takes the time of those waited for; with a yield in the loop it costs next to nothing. */
  setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);
  int given, count;
  MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &given);
  MPI_Comm_size(MPI_COMM_WORLD, &count);
  if (count == 1) {
    MPI_Finalize();
    return launched() > 1 ? refuse_to_be_alone(err) : SSK_OK;
  }
  struct ssk_ranks *ranks = calloc(1, sizeof *ranks);
  int *sizes = calloc((size_t)count, sizeof *sizes);
  int *starts = calloc((size_t)count, sizeof *starts);
  if (!ranks || !sizes || !starts || given < MPI_THREAD_FUNNELED)
    out_of_memory();
  *ranks = (struct ssk_ranks){.count = count, .sizes = sizes, .starts = starts};
  MPI_Comm_rank(MPI_COMM_WORLD, &ranks->self);
  ranks->threads = fair_threads();
  *out = ranks;
  return SSK_OK;
}

static void end(struct ssk_ranks *ranks) {
  MPI_Finalize();
  free(ranks->sizes);
  free(ranks->starts);
  free(ranks->requests);
}

static void gather(const struct ssk_ranks *ranks, void *entries, int64_t n, size_t size) {
  for (int r = 0; r < ranks->count; r++) {
    const int64_t first = ssk_ranks_first(ranks, r, n);
    ranks->starts[r] = (int)(first * (int64_t)size);
    ranks->sizes[r] = (int)((ssk_ranks_first(ranks, r + 1, n) - first) * (int64_t)size);
  }
  MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, entries, ranks->sizes, ranks->starts, MPI_BYTE,
                 MPI_COMM_WORLD);
}

static void broadcast(int from, void *data, size_t size) {
  const size_t most = (size_t)1 << 30;
  for (size_t at = 0; at < size; at += most)
    MPI_Bcast((char *)data + at, (int)(size - at < most ? size - at : most), MPI_BYTE, from,
              MPI_COMM_WORLD);
}

/* Each value becomes the largest among the ranks. */
static void maximise(int *values, int n) {
  MPI_Allreduce(MPI_IN_PLACE, values, n, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
}

static void exchange(struct ssk_ranks *ranks, const struct ssk_message *messages, int n) {
  if (n > ranks->n_requests) {
    free(ranks->requests);
    ranks->requests = calloc((size_t)n, sizeof *ranks->requests);
    ranks->n_requests = n;
    if (!ranks->requests)
      out_of_memory();
  }
  /* Receives first, so that what comes has a place. */
  int k = 0;
  for (int pass = 0; pass < 2; pass++)
    for (int i = 0; i < n; i++) {
      const struct ssk_message *m = &messages[i];
      if (m->outgoing && pass == 1)
        MPI_Isend(m->data, (int)m->size, MPI_BYTE, m->rank, m->tag, MPI_COMM_WORLD,
                  &ranks->requests[k++]);
      else if (!m->outgoing && pass == 0)
        MPI_Irecv(m->data, (int)m->size, MPI_BYTE, m->rank, m->tag, MPI_COMM_WORLD,
                  &ranks->requests[k++]);
    }
  MPI_Waitall(n, ranks->requests, MPI_STATUSES_IGNORE);
}

#else /* one process */
struct ssk_ranks {
  int count, self, threads;
};

bool ssk_ranks_library(char *text, size_t n) {
  (void)text, (void)n;
  return false;
}
static int start(struct ssk_ranks **out, ssk_err *err) {
  (void)out;
  return launched() > 1 ? refuse_to_be_alone(err) : SSK_OK;
}
static void end(struct ssk_ranks *ranks) {
  (void)ranks;
}
static void gather(const struct ssk_ranks *ranks, void *entries, int64_t n, size_t size) {
  (void)ranks, (void)entries, (void)n, (void)size;
}
static void broadcast(int from, void *data, size_t size) {
  (void)from, (void)data, (void)size;
}
static void maximise(int *values, int n) {
  (void)values, (void)n;
}
static void exchange(struct ssk_ranks *ranks, const struct ssk_message *messages, int n) {
  (void)ranks, (void)messages, (void)n;
}
#endif

/* ---- the interface -------------------------------------------------------------------------- */

int ssk_ranks_start(struct ssk_ranks **out, ssk_err *err) {
  *out = NULL;
  return start(out, err);
}

void ssk_ranks_end(struct ssk_ranks *ranks) {
  if (ranks)
    end(ranks);
  free(ranks);
}

int ssk_ranks_count(const struct ssk_ranks *ranks) {
  return ranks ? ranks->count : 1;
}
int ssk_ranks_self(const struct ssk_ranks *ranks) {
  return ranks ? ranks->self : 0;
}
bool ssk_ranks_lead(const struct ssk_ranks *ranks) {
  return ssk_ranks_self(ranks) == 0;
}
int ssk_ranks_threads(const struct ssk_ranks *ranks) {
  return ranks ? ranks->threads : ssk_pool_default_threads();
}

int64_t ssk_ranks_first(const struct ssk_ranks *ranks, int rank, int64_t n) {
  const int64_t count = ssk_ranks_count(ranks);
  return (rank * n + count - 1) / count;
}
int ssk_ranks_owner(const struct ssk_ranks *ranks, int64_t thing, int64_t n) {
  return (int)(thing * ssk_ranks_count(ranks) / n);
}

void ssk_ranks_gather(const struct ssk_ranks *ranks, void *entries, int64_t n, size_t size) {
  if (ranks)
    gather(ranks, entries, n, size);
}
void ssk_ranks_broadcast(const struct ssk_ranks *ranks, void *data, size_t size) {
  if (ranks)
    broadcast(0, data, size);
}
void ssk_ranks_exchange(struct ssk_ranks *ranks, const struct ssk_message *messages, int n) {
  if (ranks)
    exchange(ranks, messages, n);
}

/* ---- agreements ----------------------------------------------------------------------------- */

/* The diagnostic of rank `first`, which failed. */
static int take_over(int first, int code, ssk_err *err) {
  struct {
    int code;
    char message[480], hint[240];
  } said = {.code = code};
  struct ssk_diagnostic latest;
  const int kept = ssk_err_count(err) < SSK_ERR_MAX ? ssk_err_count(err) : SSK_ERR_MAX;
  if (code && ssk_err_get(err, kept - 1, &latest)) {
    snprintf(said.message, sizeof said.message, "%s", latest.message);
    snprintf(said.hint, sizeof said.hint, "%s", latest.hint ? latest.hint : "");
  }
  broadcast(first, &said, sizeof said);
  if (!code) {
    ssk_err_set(err, said.code, "rank %d: %s", first, said.message);
    if (*said.hint)
      ssk_err_hint(err, "%s", said.hint);
  }
  return said.code;
}

int ssk_ranks_meet(const struct ssk_ranks *ranks, int code, int *wish, ssk_err *err) {
  if (!ranks)
    return code;
  /* The first rank that failed has the largest count - rank. */
  int values[] = {code ? ranks->count - ranks->self : 0, wish ? *wish : 0};
  maximise(values, 2);
  if (wish)
    *wish = values[1];
  return values[0] ? take_over(ranks->count - values[0], code, err) : SSK_OK;
}

int ssk_ranks_agree(const struct ssk_ranks *ranks, int code, ssk_err *err) {
  return ssk_ranks_meet(ranks, code, NULL, err);
}

int ssk_ranks_compare(const struct ssk_ranks *ranks, uint64_t hash, const char *what,
                      ssk_err *err) {
  uint64_t leader = hash;
  ssk_ranks_broadcast(ranks, &leader, sizeof leader);
  const int code =
      leader == hash ? SSK_OK : ssk_err_set(err, SSK_EFAIL, "%s differs from that of rank 0", what);
  return ssk_ranks_agree(ranks, code, err);
}

int ssk_ranks_share_text(const struct ssk_ranks *ranks, char **text, size_t *size, ssk_err *err) {
  if (!ranks)
    return SSK_OK;
  const bool lead = ssk_ranks_lead(ranks);
  uint64_t there = lead && *text ? *size + 1 : 0; /* with the zero after it */
  ssk_ranks_broadcast(ranks, &there, sizeof there);
  if (!lead)
    *text = NULL;
  if (!there)
    return SSK_OK;
  if (!lead)
    *text = malloc(there);
  const int code = ssk_ranks_agree(
      ranks, *text ? SSK_OK : ssk_err_set(err, SSK_ENOMEM, "no memory for a text"), err);
  if (code)
    return code;
  ssk_ranks_broadcast(ranks, *text, there);
  *size = there - 1;
  return SSK_OK;
}
