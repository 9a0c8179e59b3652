# SPDX-License-Identifier: GPL-3.0-or-later
# page.awk - the files and commands of a page: a block that follows a line "`name`:" becomes that file,
# blocks marked sh are commands.sh, in their order, without the commands that the file `not_run` lists.
BEGIN {
  while (not_run != "" && (getline line < not_run) > 0) left_out[line]
}
/^`[^`]*`:$/ { name = substr($0, 2, length($0) - 3); next }
/^```sh$/ { out = "commands.sh"; next }
/^```[a-z]+$/ && name != "" { out = name; name = ""; next }
/^```/ { out = ""; next }
out == "commands.sh" && not_run != "" {
  if (!continued) {
    line = $0
    sub(/ +(# .*|\\)$/, "", line)
    dropped = line in left_out
  }
  continued = /\\$/
  if (dropped) next
}
out != "" { print > out }
