#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# docs/missing-data.md: its recipe and its commands, in their order; and what sskit sample prints.
set -u
. "$top_srcdir/tests/support/tap.sh"
cd "$work" || exit 99

follow "$top_srcdir/docs/missing-data.md"
point "... and each metric has a value, twice" \
  test "$(grep '^gaps ' commands.log | grep -vc ' -\( \|$\)')" = 2

# lines FILE CONDITION: how many lines of a CSV file fulfil it
lines() {
  awk -F, "NR > 1 && ($2)" "$1" | wc -l
}
sskit sample runs/gaps --posterior --series 3 >three.csv
point "a line for each entry of the series and its latents" test "$(lines three.csv 1)" = 32
point "... of that series" test "$(lines three.csv '$1 == 3')" = 32
point "... which says what was seen" \
  test "$(lines three.csv '$3 == "x" && ($5 == "observed" || $5 == "hidden") && $6 != ""')" = 16
point "... and that some was hidden" test "$(lines three.csv '$5 == "hidden"')" -gt 0
point "quantiles are in order" test "$(lines three.csv '$8 <= $9 && $9 <= $10 && $10 <= $11 && $11 <= $12')" = 32

# Where an entry was not seen its neighbours say less than it would: the spread is wider.
spread() {
  awk -F, -v status="$1" '$5 == status { sum += $12 - $8; n++ } END { print sum / n }' all.csv
}
sskit sample runs/gaps --posterior >all.csv
point "what is imputed is less certain than what is smoothed" \
  awk "BEGIN { exit !($(spread hidden) > $(spread observed)) }"

sskit sample runs/gaps --posterior --series 3 --samples 5 --paths >paths.csv
point "five paths of two variables" test "$(lines paths.csv 1)" = 160
sskit sample runs/gaps --posterior --series 3 --samples 5 --paths >again.csv
point "the same paths again" cmp -s paths.csv again.csv
sskit sample runs/gaps --posterior --series 3 --json >three.json
point "as JSON" grep -q '"status": "hidden"' three.json
sskit sample runs/gaps --samples 3 --length 5 --paths >prior.csv
point "free paths of a given length" test "$(lines prior.csv '$1 == ""')" = 30

verb="sample runs/gaps"
point "a series that is not there" refused 2 "there is no series 32: the split has 32" \
  --posterior --series 32
point "a length that does not apply" refused 2 "--length is for series that are drawn freely" \
  --posterior --length 3
point "a split that is not there" refused 3 "evaluate.split" --split nowhere

echo "1..$n"
