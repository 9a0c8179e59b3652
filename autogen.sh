#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes configure and the Makefile templates from configure.ac and Makefile.am. For a fresh clone;
# the tarballs of `make dist` have them already.
set -eu
cd "$(dirname "$0")"
exec autoreconf --force --install "$@"
