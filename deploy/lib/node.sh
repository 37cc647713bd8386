# Province nodes as processes of the script that starts them. Sourced, not run; needs say.sh.

declare -A node_pid=()   # by province code, or by code-number for a replica
declare -A node_ready=() # the JSON line that a node prints when it serves

# json EXPRESSION: reads JSON on standard input and prints what the JavaScript expression makes of it, called `it`.
json() { node -e 'const it = JSON.parse(require("fs").readFileSync(0, "utf8")); const out = eval(process.argv[1]); console.log(out ?? "");' "$1"; }

# start_node BINARY DATA CODE CONSOLE PARTNER TELEPHONE: starts a node on SQLite and waits until it serves.
start_node() { start_process "$3" "$2" "$1" up --province "$3" --data "$2/$3" --console "$4" --partner "$5" --telephone "$6"; }

# start_replica BINARY DATA CODE N CONSOLE PARTNER TELEPHONE: starts one of several processes of a node on the PostgreSQL that
# FENGHUO_DATABASE_URL names. They share the addresses and the keys.
start_replica() {
  start_process "$3-$4" "$2" "$1" serve --province "$3" --data "$2/$3-$4" --keys "$2/$3-keys" --shared-listen \
    --console "$5" --partner "$6" --telephone "$7"
}

# start_process NAME DATA COMMAND...: starts a process of a node under a name and waits until it serves.
start_process() {
  local name=$1 said=$2/$1.ready log=$2/$1.log
  shift 2
  : >"$said"
  # A process group of its own: Ctrl-C must reach it once, from this script, and not from the terminal as well.
  set -m
  "$@" --json </dev/null >"$said" 2>"$log" &
  node_pid[$name]=$!
  set +m
  local waited=0
  until [[ -s $said ]]; do
    kill -0 "${node_pid[$name]}" 2>/dev/null || fail "the node $name did not start: $(tail -n 3 "$log")"
    ((waited++ < 600)) || fail "the node $name says nothing for a minute; see $log"
    sleep 0.1
  done
  node_ready[$name]=$(head -n 1 "$said")
  rm -f "$said" # it may hold a one-time link
}

# stop_nodes: asks all to stop and waits until they have.
stop_nodes() {
  local code
  for code in "${!node_pid[@]}"; do kill -TERM "${node_pid[$code]}" 2>/dev/null || true; done
  for code in "${!node_pid[@]}"; do wait "${node_pid[$code]}" 2>/dev/null || true; done
  node_pid=()
}
