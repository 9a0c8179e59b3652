/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hash.h - 64-bit hashes of bytes: keys of random streams, fingerprints of files. Not
 * cryptographic. */
#ifndef SSK_CORE_HASH_H
#define SSK_CORE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* FNV-1a with a final avalanche (MurmurHash3's fmix64); `seed` chains calls. Part of the stability
 * of results: never change it. */
uint64_t ssk_hash(uint64_t seed, const void *data, size_t size);
uint64_t ssk_hash_text(uint64_t seed, const char *text); /* NULL counts as "" */

#endif
