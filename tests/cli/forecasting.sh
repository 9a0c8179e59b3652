#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# docs/forecasting.md: its recipe and its commands, in their order; and that what is exported is what
# the model computes with.
set -u
. "$top_srcdir/tests/support/tap.sh"
cd "$work" || exit 99

follow "$top_srcdir/docs/forecasting.md"
point "a forecast of 24 steps of two columns" test "$(wc -l <forecast.csv)" = 49
sed 's/^house 7/0/' batch.csv >numbered.csv
point "a stream has the numbers of the batch" sh -c "sed 's/^0,//' filtered.csv >a; sed 's/^0,//' numbered.csv >b; cmp a b"

"$SSKIT" export runs/boiler -o again.npz && "$SSKIT" export runs/boiler -o again.safetensors
point "exports have the same bytes each time" \
  sh -c 'cmp boiler.npz again.npz && cmp boiler.safetensors again.safetensors'
point "raw weights are others" sh -c '! cmp -s boiler.npz last.npz'
"$SSKIT" export runs/boiler -o boiler.txt >out 2>err
point "another ending is refused" test $? = 2 -a ! -e boiler.txt
mv boiler.csv away.csv
SSKIT_PLUGIN_PATH='' "$SSKIT" export runs/boiler/checkpoints/last.safetensors -o alone.npz >out 2>err
point "from the checkpoint alone" cmp boiler.npz alone.npz
mv away.csv boiler.csv

python=/usr/bin/python3
if ! test -x $python || ! $python -c 'import numpy' 2>/dev/null; then
  skip "the page's program reads both" "python3-numpy is not installed"
  skip "... and computes the model's emission" "python3-numpy is not installed"
  echo "1..$n"
  exit
fi
$python emission.py boiler >out 2>err
point "the page's program reads both" test $? = 0
# What a latent emits is its mean and noise, whose deviation the model knows.
"$SSKIT" sample runs/boiler --samples 200 --length 50 --paths >paths.csv 2>err
sed '/^weights, texts/,$d' emission.py >check.py
cat >>check.py <<'EOF'
import csv
w, texts = read_safetensors("boiler.safetensors")
units = json.loads(texts["units"])
raw = np.load("boiler.npz")
assert raw["recipe"][()].decode() == texts["recipe"] and json.loads(raw["units"][()]) == units
rows = list(csv.DictReader(open("paths.csv")))
def values(name):
    return np.array([[float(r["value"]) for r in rows if r["variable"] == name and r["dimension"] == str(k)]
                     for k in range(2)]).T
noise = (values("x") - emission_mean(w, units, values("z"))) / np.array(units["scale"])
want = np.sqrt(np.log1p(np.exp(w["emission.raw"].astype(float))) + 1e-6)
assert len(noise) == 10000
assert (abs(noise.std(0) / want - 1) < 0.05).all(), (noise.std(0), want)
assert (abs(noise.mean(0)) < 0.05 * want).all()
EOF
$python check.py >out 2>err
point "... and computes the model's emission" test $? = 0
echo "1..$n"
