# A throw-away PostgreSQL on a free port of this machine, its data in a temporary folder. Sourced, not run; needs say.sh
# and tools.sh. PostgreSQL refuses to run as root: root starts it as the user postgres, whom its package makes.

postgres_dir=

postgres_run() {
  if ((EUID == 0)); then
    (cd "$postgres_dir" && setpriv --reuid=postgres --regid=postgres --clear-groups "$@")
  else
    "$@"
  fi
}

free_port() { node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); });'; }

# start_postgres: starts the server and exports FENGHUO_TEST_POSTGRES, its URL. What a test reads of durability holds:
# fsync stays on; only initdb's own flush is left out.
start_postgres() {
  local bin port attempt
  bin=$(postgres_bin)
  # Not TMPDIR: the user postgres must be able to enter it, and the path of a socket may have 107 bytes at most.
  postgres_dir=$(mktemp -d /tmp/fenghuo-postgres.XXXXXX)
  if ((EUID == 0)); then chown postgres:postgres "$postgres_dir"; fi
  postgres_run "$bin/initdb" --no-sync -A trust -U postgres -E UTF8 --locale=C.UTF-8 -D "$postgres_dir/data" >"$postgres_dir.log" 2>&1 ||
    fail "initdb failed: $(tail -n 5 "$postgres_dir.log")"
  for attempt in 1 2 3; do
    port=$(free_port)
    if postgres_run "$bin/pg_ctl" -w -s -D "$postgres_dir/data" -l "$postgres_dir/server.log" \
      -o "-p $port -k $postgres_dir -c listen_addresses=127.0.0.1 -c max_connections=400" start >>"$postgres_dir.log" 2>&1; then
      export FENGHUO_TEST_POSTGRES="postgres://postgres@127.0.0.1:$port/postgres"
      say "PostgreSQL $("$bin/postgres" --version | grep -o '[0-9.]*' | head -n 1) on port $port, for these tests alone"
      return
    fi
    say "PostgreSQL did not start on port $port (attempt $attempt of 3)"
  done
  fail "PostgreSQL did not start: $(tail -n 5 "$postgres_dir/server.log" 2>/dev/null)"
}

stop_postgres() {
  if [[ -n $postgres_dir ]]; then
    if [[ -e $postgres_dir/data/postmaster.pid ]]; then
      postgres_run "$(postgres_bin)/pg_ctl" -s -m immediate -D "$postgres_dir/data" stop || true
    fi
    rm -rf "$postgres_dir" "$postgres_dir.log"
    postgres_dir=
  fi
}
