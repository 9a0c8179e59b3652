/* SPDX-License-Identifier: GPL-3.0-or-later */
/* self_test.h - does this build compute rightly on this machine? Quick checks of what everything
 * else rests on, for `sskit doctor`. Each fills `detail` with what was measured; true: it is right.
 */
#ifndef SSK_REPORT_SELF_TEST_H
#define SSK_REPORT_SELF_TEST_H

#include <stdbool.h>

enum { SSK_DETAIL = 256 };

/* Matrix products of several shapes beside plain loops in double precision. */
bool ssk_test_products(char detail[SSK_DETAIL]);
/* 1e9 floating-point operations a second in OpenBLAS's product of matrices with 256 rows and
 * columns, on one thread. Takes about 50 ms. NaN without memory. */
double ssk_blas_speed(void);
/* The random numbers' generator beside the known answers of its authors. */
bool ssk_test_random(char detail[SSK_DETAIL]);
/* Vectorised functions beside the C library's, in units in the last place. */
bool ssk_test_functions(char detail[SSK_DETAIL]);
/* A pool of as many threads as are used by default does each task once. */
bool ssk_test_threads(char detail[SSK_DETAIL]);

#endif
