# Sourced by the suites: a local cloud of their own, and counting. Bash.
# Sets BOOTSTRAP, CLIENT_PROPERTIES, LIBRDKAFKA_PROPERTIES, AUTHORITY, DATA, WORK.
set -u
PROJECT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
PATH=$PROJECT/node_modules/.bin:$PATH
WORK=$(mktemp -d "${TMPDIR:-/tmp}/balafon-clients-XXXXXX")
DATA=$WORK/data
passed=0
failed=0
cloud_pid=

start_cloud() { # extra arguments of npm start
  node "$PROJECT/local/main.ts" --json --data "$DATA" --kafka-port 0 --tls-port 0 --admin-port 0 --router-port 0 --api-port 0 "$@" \
    >"$WORK/ready.json" 2>"$WORK/cloud.log" </dev/null &
  cloud_pid=$!
  for _ in $(seq 1 1500); do
    [ -s "$WORK/ready.json" ] && break
    kill -0 "$cloud_pid" 2>/dev/null || { cat "$WORK/cloud.log"; echo "0 passed, 1 failed"; exit 1; }
    sleep 0.1
  done
  BOOTSTRAP=$(ready_field bootstrap)
  CLIENT_PROPERTIES=$(ready_field clientProperties)
  LIBRDKAFKA_PROPERTIES=$DATA/librdkafka.properties
  AUTHORITY=$DATA/tls/ca.pem
}

ready_field() { node -p "JSON.parse(require('fs').readFileSync('$WORK/ready.json','utf8'))['$1']"; }

end_cloud() {
  if [ -n "$cloud_pid" ]; then
    kill "$cloud_pid" 2>/dev/null
    wait "$cloud_pid" 2>/dev/null
  fi
  if [ "$failed" -gt 0 ] && [ -d "$DATA/brokers" ]; then
    for log in "$DATA"/brokers/*/broker.log; do
      grep -E '"level":"(warn|error)"' "$log" | tail -5
    done
  fi
  rm -rf "$WORK"
}
trap end_cloud EXIT

# Named check: its output is shown when it fails. `check NAME COMMAND...`; the command bounds its own time.
check() {
  local name=$1
  shift
  if ("$@") >"$WORK/check.log" 2>&1 </dev/null; then
    passed=$((passed + 1))
    echo "ok    $name"
  else
    failed=$((failed + 1))
    echo "FAIL  $name"
    tail -25 "$WORK/check.log" | sed 's/^/      /'
  fi
}

# The command succeeds and prints the pattern. `prints PATTERN COMMAND...`
prints() {
  local pattern=$1 output
  shift
  output=$("$@" 2>&1) || { echo "$output"; return 1; }
  echo "$output"
  grep -qE -- "$pattern" <<<"$output"
}

# The command prints the pattern and may fail. `refuses PATTERN COMMAND...`
refuses() {
  local pattern=$1 output
  shift
  output=$("$@" 2>&1)
  echo "$output"
  grep -qE -- "$pattern" <<<"$output"
}

# Adds the counts of a program that ends with `N passed, N failed`.
count_of() { # NAME LOG EXIT_CODE
  local line
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$2" | tail -1)
  if [ -n "$line" ]; then
    passed=$((passed + ${line%% passed*}))
    line=${line##*, }
    failed=$((failed + ${line%% failed}))
  elif [ "$3" -eq 0 ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAIL  $1 (exit code $3)"
  fi
}

finish() {
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ]
  exit
}
