#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A training step in steady state allocates nothing, whatever is plugged in: neither the kernel nor a
# plugin, on one thread or two. (What OpenBLAS does within itself is not ours: count_allocations.c.)
set -u
if test -n "$SSKIT_SANITIZED"; then
  echo "1..0 # SKIP the sanitizers bring an allocator of their own"
  exit 0
fi
count=$top_builddir/tests/count_allocations
n=0

# allocations none|some RECIPE THREADS [planted|KEY=VALUE]
allocations() {
  wanted=$1
  recipe=$2
  shift 2
  n=$((n + 1))
  case " $SSKIT_WITHOUT " in *" $(basename "$recipe" .yaml) "*)
    echo "ok $n - $(basename "$recipe" .yaml) # SKIP no library for this format"
    return ;;
  esac
  name="$(basename "$recipe" .yaml), $1 thread(s)${2:+, $2}"
  if said=$("$count" "$SSKIT_PLUGIN_PATH" "$recipe" "$@" 2>&1); then
    case $wanted/$(echo "$said" | head -n 1) in
    "none/0 "* | some/[1-9]*) echo "ok $n - $name"; return ;;
    esac
  fi
  echo "$said" | sed 's/^/# /'
  echo "not ok $n - $name"
}

allocations some "$top_srcdir/recipes/smoke/transition_gaussian.yaml" 1 planted
for recipe in "$top_srcdir"/recipes/smoke/*_*.yaml; do
  allocations none "$recipe" 1
  allocations none "$recipe" 2
done
allocations none "$top_srcdir/recipes/smoke/transition_gaussian.yaml" 2 training.segment=4
for recipe in dkf ddssm; do
  allocations none "$top_srcdir/recipes/bimodal/$recipe.yaml" 2
done
echo "1..$n"
