#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# sskit plot: report.html and figures of a run and of a comparison; sskit watch.
set -u
. "$top_srcdir/tests/support/tap.sh"
recipe=$top_srcdir/recipes/smoke/transition_gaussian.yaml
cd "$work" || exit 99

run 6 "watch without a run" watch
run 0 "a run" train -q "$recipe" -o runs/a
run 0 "watch ends when all runs have" watch
point "... and shows them" grep -q '^runs/a: done, step 3/3, bound [-0-9]' out
point "... with a curve" grep -q '▁' out
run 0 "watch --json" watch --json
point "... has the step" grep -q '"step": 3' out
sed -i.bak 's/.*/running/' runs/a/status
run 0 "a run that nobody works in" watch --once
point "... is stopped" grep -q '^runs/a: stopped' out
mv runs/a/status.bak runs/a/status

# python NAME ARGUMENT...: the point holds by the program on standard input
python() {
  name=$1
  shift
  if command -v python3 >/dev/null; then
    point "$name" python3 - "$@"
  else
    skip "$name" "no python3"
  fi
}

mkdir plain
run 6 "what is neither run nor comparison is refused" plot plain
point "... by name" grep -q "'plain' is neither" err

# No gnuplot: a folder with nothing but what libtool's wrapper calls.
mkdir bin
for tool in sh bash ls sed cat dirname basename uname rm mv grep; do
  ln -s "$(command -v $tool)" bin/$tool
done
PATH=$work/bin "$SSKIT" plot -q runs/a >out 2>err
point "without gnuplot it is status 1" test $? = 1
point "... and what to install is said" grep -q 'gnuplot-nox' err
point "... the numbers and scripts are there" test -s runs/a/plots/loss.tsv -a -s runs/a/plots/loss.gp
point "... of all figures" test -s runs/a/plots/forecast_0.tsv -a -s runs/a/plots/forecast_0.gp

if ! command -v gnuplot >/dev/null; then
  skip "figures" "no gnuplot"
  echo "1..$n"
  exit 0
fi

# self_contained PAGE: nothing that a browser would fetch
self_contained() {
  ! grep -Eo '(src|href|url)[= (]*["'"'"'(]?(https?:|//)[^"'"'"' )]*' "$1" &&
    ! grep -q '<script\|<link\|@import' "$1"
}

run 0 "plot a run" plot runs/a
point "... says where" grep -qx 'runs/a/report.html' out
point "... the parts of the bound" grep -q 'Parts of the bound' runs/a/report.html
point "... a forecast" test -s runs/a/plots/forecast_0.svg
point "... against the oracle's distribution" test -s runs/a/plots/next.svg
point "... the latents given a series" test -s runs/a/plots/latents.svg
point "... the weight of the rate" test -s runs/a/plots/lambda.svg
point "... no calibration of too few observations" test ! -e runs/a/plots/pit.svg
point "... the recipe" grep -q 'training:' runs/a/report.html
point "... without any request" self_contained runs/a/report.html
point "... dark where the reader is" grep -q 'prefers-color-scheme:dark' runs/a/plots/loss.svg
point "each curve's colour has one for the dark" sh -c '
  grep -o "rgb([^)]*)" runs/a/plots/loss.svg | sort -u >used
  sed -n "/<style>/,/<.style>/p" runs/a/plots/loss.svg | grep -o "rgb([^)]*)" | sort -u >known
  test -s used && ! comm -23 used known | grep .'
point "... where the time of a step goes" test -s runs/a/plots/times.svg
point "... in the steps before validations" grep -q 'the mean of [1-9][0-9]* step' runs/a/report.html
point "... by the components of the model" grep -q '^encoder' runs/a/plots/times.tsv
python "... forward and backward, as the log says" runs/a <<'END'
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1] + "/metrics.jsonl")]
lines = [line for line in lines if line["kind"] == "times"]
rows = [line.rstrip("\n").split("\t") for line in open(sys.argv[1] + "/plots/times.tsv")]
for column, way in (1, "time_forward/"), (2, "time_backward/"):
    logged = sum(v for line in lines for k, v in line.items() if k.startswith(way)) / len(lines)
    drawn = sum(float(row[column]) for row in rows)
    assert logged > 0 and abs(drawn - 1e3 * logged) < 1e-5 * drawn, (way, logged, drawn)
END
point "... no samplers where none were measured" test ! -e runs/a/samplers.jsonl -a ! -e runs/a/plots/samplers_crps.gp
point "figures scroll within their box" grep -q '<div class="wide"><svg' runs/a/report.html
(cd runs/a/plots && rm -f loss.svg && gnuplot loss.gp) 2>err
point "its own script draws a figure again" test -s runs/a/plots/loss.svg

run 0 "a model without a bound" train -q "$top_srcdir/recipes/smoke/encoder_copy.yaml" -o runs/copy
run 0 "plot it" plot runs/copy
point "... its loss" grep -q 'Parts of the path_loss' runs/copy/report.html
point "... no figure of what it does not have" test ! -e runs/copy/plots/kl.gp

grep -v '"kind":"times"' runs/copy/metrics.jsonl >untimed && cp untimed runs/copy/metrics.jsonl
rm -rf runs/copy/plots
run 0 "a run of before times were logged" plot runs/copy
point "... has no figure of them" test -s runs/copy/plots/loss.svg -a ! -e runs/copy/plots/times.gp

# ---- what samplers cost --------------------------------------------------------------------------

run 0 "a diffusion" train -q "$top_srcdir/recipes/smoke/transition_diffusion.yaml" -o runs/diffusion
run 0 "samplers" evaluate runs/diffusion --samplers heun,unipc --steps 2,4
point "... a line a point" test "$(grep -c '^heun\|^unipc' out)" = 4
point "... in network evaluations" grep -q '^heun  *7 ' out
point "... are kept" test "$(wc -l <runs/diffusion/samplers.jsonl)" = 4
run 0 "some of them again, and others" evaluate runs/diffusion --json --samplers heun --steps 4,3
point "... replace the same ones" test "$(wc -l <runs/diffusion/samplers.jsonl)" = 5
crps() { sed -n "s/.*\"sampler\":\"heun\",\"settings\":\"$1\",\"steps\":$2,.*\"crps\":{\"mean\":\([-0-9.e]*\).*/\1/p" runs/diffusion/samplers.jsonl; }
run 0 "the recipe's own metrics" evaluate runs/diffusion --json model.transition.sampler.steps=4
python "... are the same" out "$(crps '' 4)" <<'END'
import json, sys
assert json.load(open(sys.argv[1]))["rows"][0]["metrics"]["crps"]["mean"] == float(sys.argv[2])
END
run 0 "other settings" evaluate runs/diffusion --samplers heun --steps 4 model.transition.sampler.churn=3
point "... are points of their own" test "$(wc -l <runs/diffusion/samplers.jsonl)" = 6
point "... with other figures" test -n "$(crps churn=3 4)" -a "$(crps churn=3 4)" != "$(crps '' 4)"
run 0 "plot them" plot runs/diffusion
point "... a curve a sampler and setting" test "$(grep -c 'linespoints' runs/diffusion/plots/samplers_crps.gp)" = 3
point "... by rising cost" awk 'NF == 0 { last = 0; next } { if ($1 <= last) exit 1; last = $1 }' runs/diffusion/plots/samplers_crps.tsv
point "... in the report" grep -q 'Cost of sampling: crps' runs/diffusion/report.html
point "... by its own script, too" sh -c 'cd runs/diffusion/plots && rm samplers_crps.svg && gnuplot samplers_crps.gp && test -s samplers_crps.svg'
run 0 "on other series" evaluate runs/diffusion --samplers heun --steps 2 evaluate.samples=8
point "... what cannot be compared makes way" test "$(wc -l <runs/diffusion/samplers.jsonl)" = 1
cp runs/diffusion/samplers.jsonl kept
run 0 "of a checkpoint" evaluate runs/diffusion/checkpoints/best.safetensors --samplers unipc --steps 2
point "... nothing is kept" cmp kept runs/diffusion/samplers.jsonl
run 0 "all samplers" evaluate runs/diffusion --samplers all --steps 2 evaluate.metrics='[crps]' evaluate.samples=2
point "... that there are" test "$(tail -n +2 out | cut -d ' ' -f 1 | tr '\n' ' ')" = "$("$SSKIT" list sampler --names | tr '\n' ' ')"
run 2 "of a Gaussian" evaluate runs/a --samplers unipc
point "... there are none" grep -q 'draws by no sampler' err
run 4 "a sampler that does not exist" evaluate runs/diffusion --samplers unipc,huen
point "... the nearest is named" grep -q "heun" err
run 2 "steps that are none" evaluate runs/diffusion --samplers heun --steps 4,x
point "... are refused" grep -q "steps must be an integer from 1 to 10000, not 'x'" err
run 2 "a sampler named twice" evaluate runs/diffusion --samplers heun model.transition.sampler.use=unipc
point "... is refused" grep -q "'model.transition.sampler.use=unipc': which samplers" err
run 2 "steps of nothing" evaluate runs/diffusion --steps 4
run 2 "metrics that do not depend on draws" evaluate runs/diffusion --samplers heun evaluate.metrics='[elbo]'
point "... are refused" grep -q 'none of evaluate.metrics depends' err

run 0 "a run with more forecasts" train -q "$recipe" data.test=64 -o runs/more
run 0 "plot it" plot runs/more
point "... where observations lie among their samples" test -s runs/more/plots/pit.svg
point "... a density" awk 'NF == 0 { exit } { sum += $2; n++ } END { exit !(n == 10 && sum > 9.999 && sum < 10.001) }' \
  runs/more/plots/pit.tsv
point "... and below their quantiles" awk '{ if ($2 < last) exit 1; last = $2 } END { exit last != 1 }' \
  runs/more/plots/reliability.tsv

printf 'name: study\ncompare: {rows: [oracle, persistence, %s], bootstrap: 20}\n' "$recipe" >study.yaml
run 0 "a study" compare -q study.yaml -o study
run 0 "plot a comparison" plot study
point "... its table" grep -q '<td>persistence</td>' study/report.html
point "... its differences" grep -q 'Paired differences from persistence' study/report.html
point "... a figure a metric" test -s study/plots/crps.svg -a -s study/plots/elbo.svg
point "... without any request" self_contained study/report.html
run 0 "train again" train -q "$recipe" model.latent=3 -o runs/b
run 0 "compare runs into a directory" compare -q runs/a runs/b -o both
run 0 "plot it" plot both
point "... with the key that differs" grep -q '<th>model.latent</th>' both/report.html

echo "1..$n"
