# Province nodes as processes of the script that starts them. Sourced, not run; needs say.sh.

declare -A node_pid=()   # by province code
declare -A node_ready=() # the JSON line that a node prints when it serves

# json EXPRESSION: reads JSON on standard input and prints what the JavaScript expression makes of it, called `it`.
json() { node -e 'const it = JSON.parse(require("fs").readFileSync(0, "utf8")); const out = eval(process.argv[1]); console.log(out ?? "");' "$1"; }

# start_node BINARY DATA CODE CONSOLE PARTNER TELEPHONE: starts a node and waits until it serves.
start_node() {
  local binary=$1 data=$2 code=$3 said=$2/$3.ready log=$2/$3.log
  : >"$said"
  # A process group of its own: Ctrl-C must reach it once, from this script, and not from the terminal as well.
  set -m
  "$binary" up --province "$code" --data "$data/$code" --console "$4" --partner "$5" --telephone "$6" --json </dev/null >"$said" 2>"$log" &
  node_pid[$code]=$!
  set +m
  local waited=0
  until [[ -s $said ]]; do
    kill -0 "${node_pid[$code]}" 2>/dev/null || fail "the node of $code did not start: $(tail -n 3 "$log")"
    ((waited++ < 600)) || fail "the node of $code says nothing for a minute; see $log"
    sleep 0.1
  done
  node_ready[$code]=$(head -n 1 "$said")
  rm -f "$said" # it may hold a one-time link
}

# stop_nodes: asks all to stop and waits until they have.
stop_nodes() {
  local code
  for code in "${!node_pid[@]}"; do kill -TERM "${node_pid[$code]}" 2>/dev/null || true; done
  for code in "${!node_pid[@]}"; do wait "${node_pid[$code]}" 2>/dev/null || true; done
  node_pid=()
}
