# shellcheck shell=bash
# Progress: a quiet set-up prints nothing but its last line; a slow step prints what it does and how long it took.

setup_log=$QLAUNCH_CACHE/setup.log

# A terminal gets bold step names, unless NO_COLOR says otherwise. A pipe gets plain lines.
bold='' red='' plain=''
if [[ -t 1 && -z ${NO_COLOR:-} ]]; then bold=$'\e[1m' red=$'\e[31m' plain=$'\e[0m'; fi

# fail MESSAGE...: says why and ends the program.
fail() {
  printf '%s\n' "$@" >&2
  exit 1
}

# step NAME COMMAND...: runs a slow command with its output in the log, telling its name, a sign of life and its time.
# A failure prints the end of that output and ends the program.
step() {
  local name=$1 started=$SECONDS status log=$setup_log.step heartbeat
  shift
  printf '%s%s%s ...\n' "$bold" "$name" "$plain"
  : >"$log"
  heartbeat "$log" "$$" &
  heartbeat=$!
  # Not behind ||, which would make the command go on after its first failure.
  set +e
  (
    set -e
    "$@"
  ) >"$log" 2>&1 </dev/null
  status=$?
  set -e
  kill "$heartbeat"
  wait "$heartbeat" 2>/dev/null || true
  {
    printf '== %s (status %d)\n' "$name" "$status"
    cat "$log"
  } >>"$setup_log"
  if ((status != 0)); then
    printf '%s%s failed%s after %d s. It said:\n' "$red" "$name" "$plain" $((SECONDS - started)) >&2
    tail -n 60 "$log" | sed 's/^/  /' >&2
    exit 1
  fi
  printf '  done in %d s\n' $((SECONDS - started))
}

# heartbeat LOG PID: every ten seconds the last line of a log, as long as a process lives.
heartbeat() {
  local log=$1 process=$2 seconds=0 never
  # Waits on a pipe that nobody writes to: unlike sleep, that is gone with this process.
  exec {never}<> <(:)
  until read -r -t 10 -u "$never"; do
    kill -0 "$process" 2>/dev/null || return 0
    seconds=$((seconds + 10))
    printf '  %d s: %s\n' "$seconds" "$(last_line "$log")"
  done
}

# The last line of a log that has words in it, cut to fit a terminal.
last_line() {
  local line
  line=$(tr '\r' '\n' <"$1" | grep '[[:alnum:]]' | tail -n 1 || true)
  printf '%s' "${line:0:100}"
}
