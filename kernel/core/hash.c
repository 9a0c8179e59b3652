/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hash.c - FNV-1a over 64 bits (Fowler, Noll, Vo), then the finaliser fmix64 of MurmurHash3
 * (Appleby), which spreads the last bytes over all bits. Known value: ssk_hash(0, "", 0) =
 * fmix64(offset basis) = efd01f60ba992926. */
#include "core/hash.h"
#include <string.h>

uint64_t ssk_hash(uint64_t seed, const void *data, size_t size) {
  const unsigned char *byte = data;
  uint64_t h = UINT64_C(0xcbf29ce484222325) ^ seed;
  for (size_t i = 0; i < size; i++)
    h = (h ^ byte[i]) * UINT64_C(0x100000001b3);
  h = (h ^ (h >> 33)) * UINT64_C(0xff51afd7ed558ccd);
  h = (h ^ (h >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
  return h ^ (h >> 33);
}

uint64_t ssk_hash_text(uint64_t seed, const char *text) {
  return ssk_hash(seed, text, text ? strlen(text) : 0);
}
