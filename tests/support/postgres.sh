# SPDX-License-Identifier: GPL-3.0-or-later
# postgres.sh - a PostgreSQL server of a test's own, in a temporary folder, reached by a socket there.
# To be sourced after tap.sh.

# start_postgres: sets `postgres` to its URI; status 1 with the reason in `why` where there is none.
# stop_postgres must be called before the script ends.
start_postgres() {
  why="no PostgreSQL server is installed (Debian: postgresql)"
  bin=
  for found in /usr/lib/postgresql/*/bin; do
    test ! -x "$found/initdb" || bin=$found
  done
  test -n "$bin" || return 1
  server=$(mktemp -d "${TMPDIR:-/tmp}/pg.XXXXXX") || return 1
  # The server refuses to run as root.
  as=
  if test "$(id -u)" = 0; then
    why="root, and no user 'postgres' or no setpriv"
    id postgres >/dev/null 2>&1 && command -v setpriv >/dev/null || return 1
    chown postgres: "$server" || return 1
    as="setpriv --reuid=postgres --regid=postgres --clear-groups --"
  fi
  chmod 755 "$server"
  why="the server does not start: $server/log"
  # shellcheck disable=SC2086
  (cd "$server" && env -u LD_PRELOAD $as "$bin/initdb" -D "$server/data" -U sskit --auth=trust >"$server.log" 2>&1 &&
    env -u LD_PRELOAD $as "$bin/pg_ctl" -D "$server/data" -w -t 60 -l "$server/log" \
      -o "-c listen_addresses='' -c unix_socket_directories='$server'" start >>"$server.log" 2>&1) || return 1
  postgres="postgresql://sskit@/postgres?host=$server"
}

stop_postgres() {
  test -n "${server:-}" || return 0
  # shellcheck disable=SC2086
  test ! -d "$server/data" || (cd "$server" && $as "$bin/pg_ctl" -D "$server/data" -m immediate -w stop >/dev/null 2>&1)
  rm -rf "$server" "$server.log"
}

restart_postgres() {
  # shellcheck disable=SC2086
  (cd "$server" && $as "$bin/pg_ctl" -D "$server/data" -w -m fast -l "$server/log" restart >>"$server.log" 2>&1)
}

# Every connection but its own is closed by the server.
end_connections() {
  # shellcheck disable=SC2086
  (cd "$server" && $as "$bin/psql" -h "$server" -U sskit -d postgres -qtAc "SELECT pg_terminate_backend(pid)
    FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'" >>"$server.log" 2>&1)
}
