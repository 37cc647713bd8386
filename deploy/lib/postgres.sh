# PostgreSQL on a free port of this machine: a throw-away one for tests, its data in a temporary folder, or one that keeps
# its data. Sourced, not run; needs say.sh and tools.sh. PostgreSQL refuses to run as root: root starts it as the user postgres, whom its package makes.

postgres_dir=  # of the server that is being worked on
postgres_kept= # of the one that keeps its data

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

# start_kept_postgres DIR: starts a server that keeps its data in DIR/postgres, and sets postgres_url to all of its URL but
# the database's name. The password, made once, stands in DIR/postgres.password.
postgres_url=
start_kept_postgres() {
  local bin port log=$1/postgres.log password=$1/postgres.password
  bin=$(postgres_bin)
  postgres_kept=$(cd "$1" && pwd)/postgres
  [[ -s $password ]] || (umask 077 && node -p 'require("crypto").randomBytes(18).toString("base64url")' >"$password")
  mkdir -p "$postgres_kept"
  # The user postgres needs to pass through the folder, and nothing else in it.
  if ((EUID == 0)); then chown postgres:postgres "$postgres_kept" && chmod 711 "$1"; fi
  postgres_dir=$postgres_kept
  postgres_run test -w . 2>/dev/null || { postgres_dir= && fail "the user postgres cannot reach $postgres_kept; choose another folder with --data"; }
  if [[ ! -e $postgres_kept/data/PG_VERSION ]]; then
    install -m 600 "$password" "$postgres_kept/password"
    if ((EUID == 0)); then chown postgres:postgres "$postgres_kept/password"; fi
    postgres_run "$bin/initdb" -A scram-sha-256 --pwfile="$postgres_kept/password" -U postgres -E UTF8 --locale=C.UTF-8 \
      -D "$postgres_kept/data" >"$log" 2>&1 || { postgres_dir= && fail "initdb failed: $(tail -n 5 "$log")"; }
    rm -f "$postgres_kept/password"
  fi
  port=$(free_port)
  postgres_run "$bin/pg_ctl" -w -s -D "$postgres_kept/data" -l "$postgres_kept/server.log" \
    -o "-p $port -c unix_socket_directories= -c listen_addresses=127.0.0.1 -c max_connections=400" start >>"$log" 2>&1 ||
    { postgres_dir= && fail "PostgreSQL did not start: $(tail -n 5 "$postgres_kept/server.log" 2>/dev/null)"; }
  postgres_dir=
  postgres_url=postgres://postgres:$(cat "$password")@127.0.0.1:$port
}

# make_database NAME: makes a database of the kept server if it is not there.
make_database() {
  local there
  there=$("$(postgres_bin)/psql" "$postgres_url/postgres" -Atqc "SELECT 1 FROM pg_database WHERE datname = '$1'")
  [[ $there == 1 ]] || "$(postgres_bin)/psql" "$postgres_url/postgres" -qc "CREATE DATABASE $1"
}

stop_kept_postgres() {
  [[ -n $postgres_kept ]] || return 0
  postgres_dir=$postgres_kept
  if [[ -e $postgres_kept/data/postmaster.pid ]]; then postgres_run "$(postgres_bin)/pg_ctl" -s -m fast -D "$postgres_kept/data" stop || true; fi
  postgres_dir= postgres_kept=
}
