/* SPDX-License-Identifier: GPL-3.0-or-later */
/* segments_backward.c - back through a pass in segments, each computed again with recording. */
#include "model/segments.h"
#include <string.h>

/* From the last segment to the first: the gradient of h takes the place of h. */
static void segments_back(struct ssk_walk *walk) {
  const struct ssk_ctx *ctx = &walk->pass->ctx;
  ssk_tape *tape = ctx->tape;
  const int j = ctx->dims->j, P = ctx->P;
  const size_t latents = (size_t)(j * P * ctx->dims->d);
  const size_t slab = (size_t)ctx->B * (size_t)ctx->dims->H, unit = sizeof(ssk_real);
  ssk_real *d_h = ssk_tape_scratch(tape, (size_t)walk->length * slab * unit);
  ssk_real *d_before = ssk_tape_scratch(tape, latents * unit);
  ssk_real *d_last = ssk_tape_scratch(tape, latents * unit);
  if (!d_h || !d_before || !d_last) {
    ssk_tape_fail(tape, SSK_ENOMEM, "no memory for the gradient of a segment");
    return;
  }
  const size_t mark = ssk_tape_mark(tape);
  for (int k = walk->n; k-- > 0 && !ssk_tape_code(tape);) {
    memset(d_h, 0, (size_t)walk->length * slab * unit);
    memset(d_before, 0, latents * unit);
    struct ssk_segment segment = ssk_walk_segment(walk, k, d_h, k ? d_before : NULL);
    struct ssk_posterior q = ssk_segment_encode(walk->pass, &segment);
    struct ssk_bound bound = ssk_segment_bound(walk->pass, &segment, &q);
    if (ssk_tape_code(tape))
      return;
    ssk_tensor *results[SSK_WALK_PARTS + 2], **parts[SSK_WALK_PARTS];
    const ssk_real *seeds[SSK_WALK_PARTS + 2];
    int n = 0;
    ssk_walk_parts(&bound, parts);
    for (int i = 0; i < SSK_WALK_PARTS; i++)
      if (*parts[i]) {
        results[n] = *parts[i];
        seeds[n++] = walk->d_parts + i * P;
      }
    if (bound.steps) {
      results[n] = bound.steps;
      seeds[n++] = walk->d_steps + ssk_walk_first_rate(walk, k);
    }
    if (k < walk->n - 1) {
      results[n] = ssk_rows(tape, q.history, segment.n, j);
      seeds[n++] = d_last;
    }
    ssk_backward_from(tape, n, results, seeds);
    memcpy(walk->h + slab * (size_t)segment.from, d_h, slab * (size_t)segment.n * unit);
    ssk_tape_rewind(tape, mark);
    ssk_real *handed_on = d_before;
    d_before = d_last;
    d_last = handed_on;
  }
}

/* From the part that was read last to the first. */
static void summary_back(struct ssk_walk *walk, int s) {
  const struct ssk_ctx *ctx = &walk->pass->ctx;
  ssk_tape *tape = ctx->tape;
  const int parts = ssk_walk_summary_parts(walk, s);
  const size_t width = (size_t)ctx->model->reading[s].width, B = (size_t)ctx->B;
  const size_t state = B * (size_t)walk->reading[s].state_width * sizeof(ssk_real);
  const size_t steps = (size_t)ssk_walk_summary_steps(walk, s, 0); /* the longest */
  ssk_real *d_state = ssk_tape_scratch(tape, state), *d_next = ssk_tape_scratch(tape, state);
  ssk_real *d_part = ssk_tape_scratch(tape, steps * B * width * sizeof *d_part);
  if (!d_state || !d_next || !d_part) {
    ssk_tape_fail(tape, SSK_ENOMEM, "no memory for the gradient of the summary");
    return;
  }
  const size_t mark = ssk_tape_mark(tape);
  for (int i = parts; i-- > 0 && !ssk_tape_code(tape);) {
    const int k = ssk_walk_summary_part(walk, s, i);
    memset(d_state, 0, state);
    ssk_tensor *results[2] = {NULL, NULL};
    results[0] = ssk_walk_summary(walk, s, k, i > 0 ? d_state : NULL, &results[1]);
    if (ssk_tape_code(tape))
      return;
    for (int r = 0; r < ssk_walk_summary_steps(walk, s, k); r++)
      for (int b = 0; b < ctx->B; b++)
        memcpy(d_part + ((size_t)r * B + (size_t)b) * width, ssk_walk_summary_at(walk, s, k, r, b),
               width * sizeof *d_part);
    const ssk_real *seeds[] = {d_part, d_next};
    ssk_backward_from(tape, i < parts - 1 ? 2 : 1, results, seeds);
    ssk_tape_rewind(tape, mark);
    ssk_real *handed_on = d_state;
    d_state = d_next;
    d_next = handed_on;
  }
}

void ssk_walk_backward(struct ssk_walk *walk) {
  ssk_tape *tape = walk->pass->ctx.tape;
  ssk_tape_rewind(tape, walk->mark);
  segments_back(walk);
  for (int s = 0; s < walk->pass->ctx.model->n_readings && !ssk_tape_code(tape); s++) {
    ssk_tape_rewind(tape, walk->mark);
    summary_back(walk, s);
  }
}
