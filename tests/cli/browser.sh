#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The reports of a run and of a comparison in a browser: nothing that it complains of, nothing that it
# fetches, no page that is wider than its window, no figure without an extent. Pages that are
# spoilt on purpose show that each of these is seen.
set -u
. "$top_srcdir/tests/support/tap.sh"
recipe=$top_srcdir/recipes/smoke/transition_gaussian.yaml
cd "$work" || exit 99

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
if test -z "$browser" || ! command -v gnuplot >/dev/null; then
  skip "reports in a browser" "no chromium or no gnuplot"
  echo "1..$n"
  exit 0
fi

# look PAGE: into seen, a line "WIDTH window W page W figures N empty N" for each width; into console, the
# browser's messages. Frames, because a window of its own is never narrower than 500 pixels; a copy of the
# page tells the frame's owner what it measures, because pages from files must not look into each other.
look() {
  { cat "$1" && cat <<'END'; } >copy.html
<script>
addEventListener("load", function () {
  var figures = Array.from(document.querySelectorAll("figure svg"));
  var empty = figures.filter(function (svg) {
    var box = svg.getBoundingClientRect();
    return !(box.width > 0 && box.height > 0);
  });
  parent.postMessage(window.name + " window " + innerWidth + " page " + document.documentElement.scrollWidth +
    " figures " + figures.length + " empty " + empty.length, "*");
});
</script>
END
  cat >frames.html <<'END'
<!doctype html>
<script>
addEventListener("message", function (event) {
  document.body.appendChild(document.createElement("pre")).textContent = "\n" + event.data + "\n";
});
</script>
<body>
<iframe name="390" width="390" height="800" style="border:0" src="copy.html"></iframe>
<iframe name="1280" width="1280" height="800" style="border:0" src="copy.html"></iframe>
END
  timeout 60 "$browser" --headless --no-sandbox --disable-gpu --no-first-run --user-data-dir="$work/profile" \
    --window-size=1400,900 --enable-logging=stderr --virtual-time-budget=3000 --dump-dom \
    "file://$work/frames.html" >dom 2>log
  grep '^[0-9]* window ' dom | sort -n >seen
  grep ':CONSOLE' log >console
  cp console err
}

# Both widths were measured, in frames of these widths.
measured() {
  test "$(cut -d ' ' -f 1-3 seen)" = "390 window 390
1280 window 1280"
}
fits() {
  awk '$5 > $3 { wide = 1 } END { exit wide || NR != 2 }' seen
}
drawn() {
  awk '$7 < 1 || $9 > 0 { bad = 1 } END { exit bad || NR != 2 }' seen
}
silent() {
  ! grep . console
}
# alone PAGE: it names no other file, here or elsewhere: whoever gets the page has all of it
alone() {
  ! grep -Eio '[[:space:]](src|srcset|href)[[:space:]]*=[[:space:]]*["'"'"']?[^"'"'"' >]*|url\([[:space:]]*["'"'"']?[^)]*|@import' "$1" |
    grep -Ev '[=(][[:space:]]*["'"'"']?(#|data:)'
}

"$SSKIT" train -q "$recipe" -o a >out 2>err && "$SSKIT" train -q "$recipe" model.latent=3 -o b >out 2>err &&
  "$SSKIT" compare -q a b -o both >out 2>err && "$SSKIT" plot -q a >out 2>err && "$SSKIT" plot -q both >out 2>err
point "reports of a run and of a comparison" test $? = 0
printf '<!doctype html>\n<title>x</title>\n<figure><svg width="9" height="9"></svg></figure>\n' >blank.html
look blank.html
if ! measured; then
  skip "reports in a browser" "$browser does not run here"
  echo "1..$n"
  exit 0
fi
for page in a both; do
  look $page/report.html
  point "$page/report.html is shown" measured
  point "... not wider than its window" fits
  point "... with figures that have an extent" drawn
  point "... without a message of the browser" silent
  point "... without anything to be fetched" alone $page/report.html
done

# spoil NAME CHECK TEXT: the report with this in it fails the check
spoil() {
  { cat a/report.html && printf '%s\n' "$3"; } >spoilt.html
  look spoilt.html
  measured && ! $2 >/dev/null
  point "seen: $1" test $? = 0
}
spoil "what is too wide for a narrow window" fits '<div style="width:600px">x</div>'
spoil "what is too wide for any" fits '<div style="width:1300px">x</div>'
spoil "an error" silent '<script>no_such_function()</script>'
spoil "a figure that has no extent" drawn '<figure><svg style="width:0;height:0;min-width:0"></svg></figure>'
for text in '<img src="plots/loss.svg">' '<img src="https://example.org/x.png">' '<a href=//example.org/x>' \
  '<style>p{background:url( "http://example.org/x")}</style>'; do
  printf '%s\n' "$text" >spoilt.html
  ! alone spoilt.html >/dev/null
  point "seen: $text" test $? = 0
done

echo "1..$n"
