/* SPDX-License-Identifier: GPL-3.0-or-later */
/* main.c - the program sskit. Everything else is in libsskit, whose insides are hidden: so program
 * and plugins share one copy of the library. */
#include "cli/cli.h"

int main(int argc, char **argv) {
  return ssk_program(argc, argv);
}
