/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gemm_jit.c - matrix products by libxsmm (Heinecke, Henry, Hutchinson, Pabst: LIBXSMM, SC
 * 2016), which makes code for a shape when it is first asked for it.
 *
 * A layer of 32 to 64 units leaves OpenBLAS little to block: there, a call costs as much as the
 * product. libxsmm has neither packing nor checks to pay for. Its kernels are column-major, so they
 * get C^T = B^T A^T; they can read their right factor (A) transposed, but not their left one (B),
 * which is transposed here, into memory of the thread.
 *
 * Rows are worked on in pieces of a fixed size, and so are sums over rows: the number of kernels
 * stays bounded, however many lengths a data set has. A wide product goes panel by panel of
 * columns, each as large as the cache holds: with few rows (a batch's, in a recurrence) OpenBLAS
 * packs more than it multiplies, and on a processor that it does not know it computes as on one of
 * 2004. */
#include "tensor/gemm_jit.h"

#ifndef SSK_LIBXSMM

bool ssk_gemm_jit(int m, int n, int k, struct ssk_matrix a, struct ssk_matrix b, int keep,
                  ssk_real *c, int c_stride) {
  (void)m, (void)n, (void)k, (void)a, (void)b, (void)keep, (void)c, (void)c_stride;
  return false;
}

const char *ssk_gemm_jit_name(void) {
  return NULL;
}

#else

#include "tensor/gemm_blas.h"
#include "tensor/transpose.h"
#include <libxsmm_cpuid.h>
#include <libxsmm_generator.h>
#include <libxsmm_version.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
  PIECE = 256, /* rows of a piece */
  MOST =
      1 << 15, /* entries of a panel, which all pieces read or add to: it must stay in the cache */
  DEEPEST = 512,       /* rows of a panel where one is not enough */
  WIDTH = 16,          /* what the columns of such a panel are a multiple of: registers are full */
  FEWEST = 4,          /* columns below which OpenBLAS is as good */
  SHAPES = 256,        /* that a thread remembers, and lists of all */
  CODE_BYTES = 1 << 16 /* of the longest kernel */
};

struct shape {
  int m, n, k, a_stride, b_stride, c_stride, a_transposed, keep;
};

typedef void kernel(const ssk_real *b, const ssk_real *a, ssk_real *c);

/* The kernel of a shape; NULL where there is none. */
struct remembered {
  struct shape shape;
  bool known;
  kernel *run;
};

/* ---- making code ----------------------------------------------------------------------------- */

/* The machine code in pages of its own, no longer writable; NULL where that is not allowed. */
static kernel *executable(const void *code, size_t bytes) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE), size = (bytes + page - 1) / page * page;
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    return NULL;
  memcpy(memory, code, bytes);
  if (mprotect(memory, size, PROT_READ | PROT_EXEC)) {
    munmap(memory, size);
    return NULL;
  }
  kernel *run;
  memcpy(&run, &memory, sizeof run);
  return run;
}

/* By the generator alone: the library's own table of kernels takes 12 MB. One caller at a time. */
static kernel *make(const struct shape *s) {
  static char bytes[CODE_BYTES];
  const int flags = s->a_transposed ? LIBXSMM_GEMM_FLAG_TRANS_B : LIBXSMM_GEMM_FLAG_NONE;
  const ssk_real alpha = 1, beta = (ssk_real)s->keep;
  const int real = sizeof(ssk_real) == 4 ? LIBXSMM_DATATYPE_F32 : LIBXSMM_DATATYPE_F64;
  libxsmm_descriptor_blob blob;
  const libxsmm_gemm_descriptor *shape =
      libxsmm_gemm_descriptor_dinit(&blob, real, s->n, s->m, s->k, s->b_stride, s->a_stride,
                                    s->c_stride, alpha, beta, flags, LIBXSMM_PREFETCH_NONE);
  libxsmm_generated_code code = {.generated_code = bytes,
                                 .buffer_size = sizeof bytes,
                                 .code_type = 2,
                                 .arch = (unsigned)libxsmm_cpuid()};
  if (!shape)
    return NULL;
  libxsmm_generator_gemm_kernel(&code, shape);
  return code.last_error ? NULL : executable(bytes, code.code_size);
}

/* Whether it makes any here: not for every processor. */
static bool able;
static void try_to_make(void) {
  able = make(&(struct shape){.m = FEWEST,
                              .n = WIDTH,
                              .k = WIDTH,
                              .a_stride = WIDTH,
                              .b_stride = WIDTH,
                              .c_stride = WIDTH}) != NULL;
}

/* ---- finding it again ------------------------------------------------------------------------ */

static bool same(const struct shape *x, const struct shape *y) {
  return x->m == y->m && x->n == y->n && x->k == y->k && x->a_stride == y->a_stride &&
         x->b_stride == y->b_stride && x->c_stride == y->c_stride &&
         x->a_transposed == y->a_transposed && x->keep == y->keep;
}

static unsigned hash(const struct shape *s) {
  const unsigned parts[] = {(unsigned)s->m, (unsigned)s->n, (unsigned)s->k,
                            (unsigned)(s->a_stride + s->b_stride),
                            (unsigned)(s->c_stride + 2 * s->a_transposed + s->keep)};
  unsigned sum = 0;
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    sum = sum * 31u + parts[i];
  return sum * 2654435769u;
}

/* All that the process has made, in lists by hash; kept to its end. */
struct entry {
  struct remembered kernel;
  struct entry *next;
};
static struct {
  pthread_mutex_t lock;
  struct entry *list[SHAPES];
} made = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Without memory: NULL. */
static kernel *find_or_make(const struct shape *s) {
  struct entry **list = &made.list[hash(s) % SHAPES];
  pthread_mutex_lock(&made.lock);
  struct entry *entry = *list;
  while (entry && !same(&entry->kernel.shape, s))
    entry = entry->next;
  if (!entry && (entry = malloc(sizeof *entry))) {
    *entry = (struct entry){.kernel = {*s, true, make(s)}, .next = *list};
    *list = entry;
  }
  pthread_mutex_unlock(&made.lock);
  return entry ? entry->kernel.run : NULL;
}

static kernel *find(const struct shape *s) {
  static _Thread_local struct remembered table[SHAPES];
  struct remembered *entry = &table[hash(s) >> 24];
  if (!entry->known || !same(&entry->shape, s))
    *entry = (struct remembered){*s, true, find_or_make(s)};
  return entry->run;
}

/* ---- products -------------------------------------------------------------------------------- */

/* One panel; a piece that there is no code for goes to OpenBLAS. */
static void multiply(int m, int n, int k, struct ssk_matrix a, struct ssk_matrix b, int keep,
                     ssk_real *c, int c_stride) {
  const bool sums_over_rows = a.as == SSK_TRANSPOSED;
  struct shape s = {.m = m,
                    .n = n,
                    .k = k,
                    .a_stride = a.stride,
                    .b_stride = b.stride,
                    .c_stride = c_stride,
                    .a_transposed = sums_over_rows,
                    .keep = keep};
  const int total = sums_over_rows ? k : m;
  for (int r = 0; r < total; r += PIECE) {
    const int rows = total - r < PIECE ? total - r : PIECE;
    s.m = sums_over_rows ? m : rows;
    s.k = sums_over_rows ? rows : k;
    kernel *run = find(&s);
    const size_t at = (size_t)r;
    const struct ssk_matrix left = {a.data + at * (size_t)a.stride, a.stride, a.as};
    const struct ssk_matrix right = {b.data + (sums_over_rows ? at * (size_t)b.stride : 0),
                                     b.stride, b.as};
    ssk_real *to = c + (sums_over_rows ? 0 : at * (size_t)c_stride);
    if (run)
      run(right.data, left.data, to);
    else
      ssk_gemm_blas(s.m, n, s.k, 1, left, right, s.keep, to, c_stride);
    s.keep = sums_over_rows ? 1 : keep;
  }
}

/* With a copy of B[k,n] as it is read, from rows of n entries. The copy lies on the stack, not in
 * memory of the thread, which the system would clear for every thread at its start. */
__attribute__((noinline)) static void with_transposed(int m, int n, int k, struct ssk_matrix a,
                                                      struct ssk_matrix b, int keep, ssk_real *c,
                                                      int c_stride) {
  _Alignas(64) ssk_real copy[MOST];
  ssk_transpose((size_t)n, (size_t)k, b.data, (size_t)b.stride, false, copy, (size_t)n);
  multiply(m, n, k, a, (struct ssk_matrix){copy, n, SSK_AS_IS}, keep, c, c_stride);
}

/* The size of nearly equal parts of a whole, multiples of WIDTH (but the last) of at most so many;
 * the whole where it is no more; 0 where a part would be narrower than that. */
static int part_of(int whole, int most) {
  if (whole <= most)
    return whole;
  most -= most % WIDTH;
  if (!most)
    return 0;
  const int parts = (whole + most - 1) / most, part = (whole + parts - 1) / parts;
  return (part + WIDTH - 1) / WIDTH * WIDTH;
}

static int least(int x, int y) {
  return x < y ? x : y;
}

/* A panel is of B, or of C where A is transposed: there all of its rows are one. */
bool ssk_gemm_jit(int m, int n, int k, struct ssk_matrix a, struct ssk_matrix b, int keep,
                  ssk_real *c, int c_stride) {
  const bool sums_over_rows = a.as == SSK_TRANSPOSED, b_turned = b.as == SSK_TRANSPOSED;
  if (n < FEWEST || k < FEWEST || (b_turned && (sums_over_rows || m < FEWEST)))
    return false;
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, try_to_make);
  const bool is_one = (long)n * (sums_over_rows ? m : k) <= MOST;
  const int depth = is_one || sums_over_rows ? k : part_of(k, DEEPEST);
  const int width = is_one ? n : part_of(n, MOST / (sums_over_rows ? m : depth));
  if (!able || !width)
    return false;
  for (int l = 0; l < k; l += depth)
    for (int j = 0; j < n; j += width) {
      const size_t from = (size_t)l, at = (size_t)j;
      const struct ssk_matrix left = {a.data + (sums_over_rows ? 0 : from), a.stride, a.as};
      const struct ssk_matrix right = {
          b.data + (b_turned ? at * (size_t)b.stride + from : from * (size_t)b.stride + at),
          b.stride, b.as};
      (b_turned ? with_transposed : multiply)(m, least(width, n - j), least(depth, k - l), left,
                                              right, l ? 1 : keep, c + at, c_stride);
    }
  return true;
}

const char *ssk_gemm_jit_name(void) {
  static char name[64];
  if (!name[0])
    snprintf(name, sizeof name, "libxsmm %s (%s)", LIBXSMM_CONFIG_VERSION,
             libxsmm_cpuid_name(libxsmm_cpuid()));
  return name;
}

#endif
