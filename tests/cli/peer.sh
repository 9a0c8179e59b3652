#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# bench/peer_torch.py is the same model as ours: on the weights, the batch and the random draws of one of
# our training steps it has our parameter counts, our parts of the bound and our gradients. The first step,
# in which the last layers are zero, and a later one, in which all layers have a say.
set -u
if test -n "$SSKIT_SANITIZED"; then
  echo "1..0 # SKIP what is compared is the same without sanitizers, and takes a tenth of the time"
  exit 0
fi
python=${SSKIT_TORCH_PYTHON:-/usr/bin/python3}
if ! "$python" -c 'import torch' 2>/dev/null; then
  echo "1..0 # SKIP $python has no PyTorch (Debian: python3-torch)"
  exit 0
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/peer.XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
PYTHONDONTWRITEBYTECODE=1 OPENBLAS_NUM_THREADS=1
export PYTHONDONTWRITEBYTECODE OPENBLAS_NUM_THREADS
n=0

# point NAME COMMAND...
point() {
  name=$1
  shift
  n=$((n + 1))
  if "$@" >"$work/out" 2>&1; then
    echo "ok $n - $name"
  else
    sed 's/^/# /' "$work/out"
    echo "not ok $n - $name"
  fi
}

# compare RECIPE AFTER: the step after AFTER others
compare() {
  "$SSKIT" bench "$top_srcdir/bench/$1.yaml" training.batch=4 training.shards=1 --export "$work/step" --after "$2" &&
    "$SSKIT" explain "$top_srcdir/bench/$1.yaml" --json >"$work/recipe" &&
    "$python" "$top_srcdir/bench/peer_torch.py" compare "$work/recipe" "$work/step" --after "$2"
}

# differs: with another frame of the transition the comparison must fail
differs() {
  "$SSKIT" explain "$top_srcdir/bench/dkf.yaml" model.transition.frame=free --json >"$work/recipe" &&
    ! "$python" "$top_srcdir/bench/peer_torch.py" compare "$work/recipe" "$work/step" --after 12
}

for recipe in paper_ddssm paper_dkf ddssm_csdi ddssm dkf; do
  point "$recipe: the first step" compare "$recipe" 0
  point "$recipe: the 13th step" compare "$recipe" 12
done
point "another model is told apart" differs
echo "1..$n"
