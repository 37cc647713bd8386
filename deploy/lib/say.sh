# How the commands of this folder speak: one plain line per step, with the time since the start. Sourced, not run.

started_at=$SECONDS

# say TEXT...: one line of progress.
say() { printf '[%3ds] %s\n' "$((SECONDS - started_at))" "$*"; }

# fail TEXT...: says what went wrong and ends with exit code 1.
fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# run COMMAND...: runs a command that a signal to this script can stop at once. The command gets a process group of its
# own, because bash looks at its traps only after a foreground command has ended.
running=
run() {
  set -m
  "$@" </dev/null &
  running=$!
  set +m
  local status=0
  wait "$running" || status=$?
  running=
  return "$status"
}

# stop_running: ends what `run` has started, if anything, and all that it started.
stop_running() {
  if [[ -n $running ]]; then
    kill -TERM -- "-$running" 2>/dev/null || true
    wait "$running" 2>/dev/null || true
    running=
  fi
}
