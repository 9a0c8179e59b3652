# SPDX-License-Identifier: GPL-3.0-or-later
# embed.awk - files as rows of a C table: {"name", (const char *const[]){"line\n", ..., NULL}},
FNR == 1 {
  if (NR > 1) print "NULL}},"
  printf "{\"%s\", (const char *const[]){\n", FILENAME
}
{
  gsub(/\\/, "\\\\\\\\")
  gsub(/"/, "\\\"")
  printf "\"%s\\n\",\n", $0
}
END { print "NULL}}," }
