/* SPDX-License-Identifier: GPL-3.0-or-later */
/* taps.h - which steps a filter's taps connect, along an axis with zero padding.
 *
 * Tap i of a filter of length k sees the input `offset` steps later (earlier, if negative):
 * causal: (i - (k-1)) dilation; centred: (i - (k-1)/2) dilation. The outputs that a tap reaches,
 * and the inputs that it sees, are two runs of neighbouring steps. */
#ifndef SSK_TENSOR_TAPS_H
#define SSK_TENSOR_TAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ssk_taps {
  int dilation;
  bool causal;
};

/* The steps that tap i connects: outputs [out, out+n), inputs [in, in+n); n may be 0. */
struct ssk_reach {
  size_t out, in, n;
};
static inline struct ssk_reach ssk_tap_reach(const struct ssk_taps *taps, int length, int k,
                                             int i) {
  const int64_t centre = taps->causal ? k - 1 : (k - 1) / 2;
  const int64_t offset = ((int64_t)i - centre) * taps->dilation;
  const int64_t n = (int64_t)length - (offset < 0 ? -offset : offset);
  return (struct ssk_reach){.out = offset < 0 ? (size_t)-offset : 0,
                            .in = offset < 0 ? 0 : (size_t)offset,
                            .n = n < 0 ? 0 : (size_t)n};
}

#endif
