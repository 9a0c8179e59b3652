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
(cd runs/a/plots && rm -f loss.svg && gnuplot loss.gp) 2>err
point "its own script draws a figure again" test -s runs/a/plots/loss.svg

run 0 "a model without a bound" train -q "$top_srcdir/recipes/smoke/encoder_copy.yaml" -o runs/copy
run 0 "plot it" plot runs/copy
point "... its loss" grep -q 'Parts of the path_loss' runs/copy/report.html
point "... no figure of what it does not have" test ! -e runs/copy/plots/kl.gp

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
