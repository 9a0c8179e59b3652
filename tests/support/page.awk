# SPDX-License-Identifier: GPL-3.0-or-later
# page.awk - the files and commands of a page: a block that follows a line "`name`:" becomes that file,
# blocks marked sh are commands.sh, in their order.
/^`[^`]*`:$/ { name = substr($0, 2, length($0) - 3); next }
/^```sh$/ { out = "commands.sh"; next }
/^```[a-z]+$/ && name != "" { out = name; name = ""; next }
/^```/ { out = ""; next }
out != "" { print > out }
