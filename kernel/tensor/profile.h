/* SPDX-License-Identifier: GPL-3.0-or-later */
/* profile.h - where the time of a tape goes, by scope and operation, forward and backward.
 *
 * A profile is a clock that is always booked on something: on the operation that runs, or, between
 * operations, on the code of the scope that runs. So its rows add up to the processor time of the
 * thread, and nothing is left out. A scope is the path of a component; the kernel sets it round
 * each call of a component, operations remember theirs for the way back.
 *
 * Time is that on a processor: where a stretch is long enough to hold time in which the thread
 * waited, or others had the processor, the thread's own clock says how much of it counts. (That
 * clock alone would be too slow to ask for every operation.)
 *
 * One profile belongs to one tape, and so to one thread. Without a profile an operation pays a
 * branch; with one, about 0.1 us. Rows are made when they are first needed: in a steady state
 * nothing is allocated. */
#ifndef SSK_TENSOR_PROFILE_H
#define SSK_TENSOR_PROFILE_H

#include <sskit/tape.h>

enum ssk_way { SSK_FORWARD, SSK_BACKWARD, SSK_WAYS };

/* What a row is about, compared by pointer: strings are those of components and operations. */
struct ssk_profile_key {
  const char *scope; /* NULL: the kernel's own code */
  const char *name;  /* of the operation, or of other work; NULL: code between operations */
  int ndim, shape[SSK_MAX_DIMS]; /* of the operation's result */
  int inner;                     /* last axis of the operation's first input */
};

struct ssk_profile_row {
  struct ssk_profile_key key;
  struct ssk_profile_cost {
    int64_t calls;
    double seconds;
    double flops; /* of products, see struct ssk_op; 0 when the operation has none. While the tape
                     records: what is computed again later, to spare memory, counts once */
    double bytes; /* of tensors that cannot but be read and written: inputs and result forward;
                     back, the result's gradient and those of inputs that want one (the latter
                     twice where they are added to) */
  } way[SSK_WAYS];
};

/* Zero-initialise. */
struct ssk_profile {
  int n, capacity, slots;
  struct ssk_profile_row *rows;
  int *slot;                     /* a hash table of row numbers + 1 */
  double last;                   /* ssk_clock of the last booking; 0: none yet */
  double compared, compared_cpu; /* both clocks where they were last compared */
  bool failed;                   /* no memory: rows are missing */
};
void ssk_profile_free(struct ssk_profile *profile);
/* Set all figures to zero and keep the rows. The clock starts at the first booking. */
void ssk_profile_start(struct ssk_profile *profile);

/* Attach a profile (borrowed), or detach it with NULL. */
void ssk_tape_profile(ssk_tape *tape, struct ssk_profile *profile);
/* What runs from here on; NULL: the kernel's own code. The string is borrowed. */
void ssk_tape_scope(ssk_tape *tape, const char *scope);

/* For the tape: book the time since the last booking on code between operations, on work named
 * `name` that is no operation, and on one way of a recorded operation. */
struct ssk_node;
void ssk_profile_other(struct ssk_profile *profile, const char *scope, enum ssk_way way);
void ssk_profile_work(struct ssk_profile *profile, const char *scope, const char *name,
                      enum ssk_way way, double bytes);
void ssk_profile_node(struct ssk_profile *profile, const struct ssk_node *node, enum ssk_way way);

#endif
