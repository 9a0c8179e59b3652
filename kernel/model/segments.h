/* SPDX-License-Identifier: GPL-3.0-or-later */
/* segments.h - going through a pass in segments of L steps, with memory for one of them at a time
 * (Chen, Xu, Zhang and Guestrin 2016, "Training deep nets with sublinear memory cost").
 *
 * Forward nothing is recorded. Of each segment the latents before it are kept, and the state that
 * the summary's part starts from: T/L of both. Back, from the last segment to the first, a segment
 * is computed again, now recorded, and left again with the gradient of what it began with. The
 * summary goes the other way through time, so it comes last, when the gradients of all of h are
 * known. So memory grows as L + T/L, but for the series themselves and one slab [T, B, H], which
 * holds h and then its gradient; and for a summary that does not run in parts, which is computed
 * again as a whole. A summary of the past, which goes with time, does the same in the other order.
 *
 * The result is that of one segment of all steps, but for the order of the sums over time. */
#ifndef SSK_MODEL_SEGMENTS_H
#define SSK_MODEL_SEGMENTS_H

#include "model/model.h"

/* The parts of a bound that are summed over time, [P] each. */
enum { SSK_WALK_PARTS = 6 };
/* Where they are in a bound, in a fixed order; NULL where the objective does not need one. */
static inline void ssk_walk_parts(struct ssk_bound *bound, ssk_tensor **parts[SSK_WALK_PARTS]) {
  parts[0] = &bound->distortion;
  parts[1] = &bound->initial;
  parts[2] = &bound->transition;
  parts[3] = &bound->reference;
  parts[4] = &bound->log_weight;
  parts[5] = &bound->log_likelihood;
}

/* What a walk keeps of a summary. */
struct ssk_walk_reading {
  int state_width;  /* W; 0: it does not run in parts */
  ssk_real *states; /* [n, B, W] what the summary's part k starts from */
};

/* Everything lies in the tape of the pass. */
struct ssk_walk {
  struct ssk_pass *pass;
  const struct ssk_observed *obs;
  int length, n;      /* steps of a segment (the last may have fewer), number of segments */
  const int *lengths; /* [B] of the series; NULL: T of all */
  struct ssk_walk_reading reading[SSK_MAX_READINGS];
  ssk_real *h;               /* [T, B, H] */
  ssk_real *latents;         /* [n + 1, j, P, d+W] carried to segment k > 0; the last: at the end */
  ssk_real *particles;       /* the same of the particles, and beside them [P] log weights: [n + 1,
                                j*P*(d+W) + P]; NULL: not needed */
  ssk_real *parts, *d_parts; /* [SSK_WALK_PARTS, P] the parts of the bound, and their gradient */
  ssk_real *steps, *d_steps; /* [T-j, P] the transition's rate step by step; NULL: not needed */
  size_t mark;
};

/* Length of segments for a wish of a recipe: at least j, at most T; a negative wish stands for the
 * square root of T. */
int ssk_segment_length(const struct ssk_pass *pass, int64_t wish);
/* The same where there is no way back: enough rows for efficient products, few enough for the
 * cache; not less than the root of T, for each segment leaves what it carried. */
int ssk_segment_length_forward(const struct ssk_pass *pass);

/* Begin in a pass that does not record (ssk_pass_begin with no gradient): runs the summary. pass
 * and obs are borrowed. Errors are the tape's. */
void ssk_walk_begin(struct ssk_walk *walk, struct ssk_pass *pass, const struct ssk_observed *obs,
                    int length);
/* Encode all segments, and show each to `visit` (NULL: nobody looks): what it sees is gone when it
 * returns. Afterwards what the last j steps carry, [j, P, d + W], is at ssk_walk_last(walk), oldest
 * first. */
typedef void ssk_walk_visit(const struct ssk_pass *pass, const struct ssk_segment *segment,
                            const struct ssk_posterior *q, void *state);
void ssk_walk_encode(struct ssk_walk *walk, ssk_walk_visit *visit, void *state);
ssk_real *ssk_walk_last(const struct ssk_walk *walk);
/* Encode all segments and sum up the bound. With a gradient (layout.total entries to add into) the
 * pass records from now on: make a loss of the parts, call ssk_backward, then ssk_walk_backward,
 * which adds all that is still missing, and frees the loss. */
struct ssk_bound ssk_walk_bound(struct ssk_walk *walk, ssk_real *gradient);
void ssk_walk_backward(struct ssk_walk *walk);

/* Inside: segment k; where the gradients are not NULL, those of h, of `before` and of the particles
 * are added there. */
struct ssk_segment ssk_walk_segment(const struct ssk_walk *walk, int k, ssk_real *d_h,
                                    ssk_real *d_before, ssk_real *d_particles);
/* Entries of one segment's latents, and of its particles with their weights. */
size_t ssk_walk_latents(const struct ssk_walk *walk);
size_t ssk_walk_particles(const struct ssk_walk *walk);
/* The place in walk->steps of the first transition of segment k. */
size_t ssk_walk_first_rate(const struct ssk_walk *walk, int k);
/* Of summary `s` of the model: it reads its parts in this order, i < ssk_walk_summary_parts; part k
 * holds the steps of segment k, or all of them. */
int ssk_walk_summary_parts(const struct ssk_walk *walk, int s);
int ssk_walk_summary_part(const struct ssk_walk *walk, int s, int i);
/* Part k, [n, B, its width] in the order in which it is read, and the gradient of its state. */
ssk_tensor *ssk_walk_summary(const struct ssk_walk *walk, int s, int k, ssk_real *d_state,
                             ssk_tensor **next);
/* The entries [its width] of walk->h that belong to step r of part k, so read, of series b. */
ssk_real *ssk_walk_summary_at(const struct ssk_walk *walk, int s, int k, int r, int b);
/* Steps of part k. */
int ssk_walk_summary_steps(const struct ssk_walk *walk, int s, int k);

#endif
