/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/plugin_code.h"
#include "core/file.h"
#include "core/hash.h"
#include <link.h> /* ElfW: of this machine's width */
#include <stdlib.h>
#include <string.h>

static const size_t limit = (size_t)1 << 28;

/* Whether `count` things of `each` bytes lie within the file from `at` on. */
static bool within(size_t size, uint64_t at, uint64_t count, uint64_t each) {
  return at <= size && (each == 0 || count <= (size - at) / each);
}

/* The sections that are loaded and hold what the program defines (SHT_PROGBITS): code, constants,
 * tables. Tables of the linker, and notes, have other types. */
static bool hash_sections(const char *bytes, size_t size, uint64_t *hash) {
  ElfW(Ehdr) header;
  if (size < sizeof header)
    return false;
  memcpy(&header, bytes, sizeof header);
  if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_shentsize != sizeof(ElfW(Shdr)) ||
      !within(size, header.e_shoff, header.e_shnum, sizeof(ElfW(Shdr))))
    return false;
  bool any = false;
  *hash = 0;
  for (int i = 0; i < header.e_shnum; i++) {
    ElfW(Shdr) section;
    memcpy(&section, bytes + header.e_shoff + (size_t)i * sizeof section, sizeof section);
    if (section.sh_type != SHT_PROGBITS || !(section.sh_flags & SHF_ALLOC))
      continue;
    if (!within(size, section.sh_offset, section.sh_size, 1))
      return false;
    *hash = ssk_hash(*hash, bytes + section.sh_offset, section.sh_size);
    any = true;
  }
  return any;
}

bool ssk_plugin_code(const char *file, uint64_t *hash) {
  char *bytes;
  size_t size;
  if (ssk_file_read(file, limit, &bytes, &size, NULL))
    return false;
  const bool known = hash_sections(bytes, size, hash);
  free(bytes);
  return known;
}
