#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The layers of the kernel: a file may include its own layer and those below it; train and infer stand
# side by side. Plugins include the public headers, the C library and GSL, and headers beside them; a
# reader of data the library of its format, too.
set -u
cd "$top_srcdir" || exit 99
problems=$(mktemp) || exit 99
trap 'rm -f "$problems"' EXIT

# Every #include as "file:line:<header>" or "file:line:"header"".
includes() {
  find "$1" -name '*.[ch]' -o -name '*.def' | sort | xargs grep -HnE '^[[:space:]]*#[[:space:]]*include' |
    sed -E 's/^([^:]*:[0-9]*):[[:space:]]*#[[:space:]]*include[[:space:]]*/\1 /'
}

# report NAME: a test point that holds when nothing was found
n=0
report() {
  n=$((n + 1))
  if test -s "$problems"; then
    sed 's/^/# /' "$problems"
    echo "not ok $n - $1"
  else
    echo "ok $n - $1"
  fi
  : >"$problems"
}

includes kernel | awk '
  BEGIN {
    split("core tensor recipe registry model train report sweep cli", order, " ")
    for (i in order) level[order[i]] = i
    level["infer"] = level["train"]
  }
  $2 ~ /^"/ {
    split($1, path, "/"); from = path[2]
    file = $2; gsub(/"/, "", file); to = file
    if (!sub(/\/.*/, "", to)) next # a neighbour in the same folder
    if (from == "include") print $1 ": a public header includes the inside " $2
    else if (!(from in level)) print $1 ": unknown layer " from
    else if (!(to in level)) print $1 ": " $2 " is no layer/file"
    else if (level[to] > level[from] || (level[to] == level[from] && to != from))
      print $1 ": " from " includes " to
  }' >"$problems"
report "no include in the kernel runs upward"

# foreign [PATTERN]: of the lines that `includes` prints, those that name none of the allowed headers
libc='assert|complex|ctype|dirent|errno|fcntl|fenv|float|inttypes|limits|locale|math|stdarg|stdbool'
libc="$libc|stddef|stdint|stdio|stdlib|string|strings|sys/stat|sys/types|tgmath|time|unistd"
foreign() {
  grep -vE " <((sskit|gsl)/[a-z0-9_]+|$libc)\.h>" | grep -vE "${1:-^\$}"
}

includes kernel/include | grep ' <' | foreign >"$problems"
report "public headers include sskit, GSL and the C library only"

formats='^plugins/dataset/[a-z0-9_]+\.c:[0-9]+ <(hdf5|jansson|matio|zip)\.h>'
includes plugins | foreign " \"[a-z0-9_]+\.h\"|$formats" >"$problems"
report "plugins include sskit, GSL, the C library, headers beside them and the library of a file format only"
echo "1..$n"
