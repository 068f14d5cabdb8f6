#!/usr/bin/env bash
# A whole fleet deployed to an AWS emulator, used and removed again: `npm run emulator`, `npm run deploy:local`, suite.py,
# `npm run deploy:local -- --destroy`. Real functions, real containers; then once more with what LocalStack's free edition has.
# As root, with podman, runc, buildah and python3.
# VENV, EMULATOR_HOME: where Python packages are kept between runs. Ends with `N passed, N failed`, and everything it started.
set -u
here=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$here/../../.." && pwd)
PATH=$project/node_modules/.bin:$PATH
work=$(mktemp -d "${TMPDIR:-/tmp}/balafon-fleet-XXXXXX")
export VENV=${VENV:-${TMPDIR:-/tmp}/balafon-librdkafka-venv}
export EMULATOR_HOME=${EMULATOR_HOME:-${TMPDIR:-/tmp}/balafon-emulator-venv}
# An address of its own: the Kafka port of 127.0.0.1 may be taken.
address=127.94.0.1
emulator_pid=
fleet_pid=
proxy_pid=
second_emulator_pid=
network_pid=
# What a command runs behind: nothing, or a network of its own.
enter=()
passed=0
failed=0

end_pid() { # PID SECONDS
  if [ -z "$1" ]; then return; fi
  kill "$1" 2>/dev/null
  for _ in $(seq 1 $(($2 * 10))); do
    kill -0 "$1" 2>/dev/null || break
    sleep 0.1
  done
  kill -9 "$1" 2>/dev/null
  wait "$1" 2>/dev/null
}
leave() {
  trap - EXIT
  end_pid "$fleet_pid" 10
  end_pid "$proxy_pid" 5
  end_pid "$second_emulator_pid" 10
  end_pid "$network_pid" 5
  end_pid "$emulator_pid" 60
  rm -rf "$work"
}
trap leave EXIT
trap 'exit 1' INT TERM HUP

finish() {
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ]
  exit
}
ok() {
  passed=$((passed + 1))
  echo "ok    $1"
}
not_ok() { # NAME FILE
  failed=$((failed + 1))
  echo "FAIL  $1"
  tail -25 "$2" | sed 's/^/      /'
}

for command in podman runc buildah python3 curl unshare ip; do
  command -v "$command" >/dev/null && continue
  echo "missing: $command" | tee "$work/missing"
  not_ok "what the suite needs" "$work/missing"
  finish
done
if [ ! -x "$VENV/bin/python" ]; then python3 -m venv "$VENV" </dev/null; fi
if ! timeout 300 "$VENV/bin/pip" install -q --only-binary :all: \
  -r "$project/test/clients/librdkafka/requirements.txt" >"$work/pip.log" 2>&1 </dev/null; then
  not_ok "confluent-kafka" "$work/pip.log"
  finish
fi

. "$project/test/free-port.sh"
port=$(free_port)
endpoint=http://127.0.0.1:$port
export label=ministack.instance=balafon-emulator:$port
EMULATOR_PORT=$port bash "$project/local/aws/emulator.sh" >"$work/emulator.log" 2>&1 </dev/null &
emulator_pid=$!
for _ in $(seq 1 600); do
  curl -sf -m 2 "$endpoint/_localstack/health" >/dev/null && break
  kill -0 "$emulator_pid" 2>/dev/null || break
  sleep 0.2
done
curl -sf -m 2 "$endpoint/_localstack/health" >/dev/null || {
  not_ok "an emulator with containers" "$work/emulator.log"
  finish
}

# The command itself, so that it is this process that is told to end.
start_fleet() { # ENDPOINT
  : >"$work/ready.json"
  "${enter[@]}" node "$project/local/aws/main.ts" --endpoint "$1" --data "$work/data" --listen "$address" --json \
    >"$work/ready.json" 2>"$work/deploy.log" </dev/null &
  fleet_pid=$!
  for _ in $(seq 1 2400); do
    [ -s "$work/ready.json" ] && return
    kill -0 "$fleet_pid" 2>/dev/null || return 1
    sleep 0.1
  done
  return 1
}
end_fleet() {
  kill "$fleet_pid"
  wait "$fleet_pid"
  local code=$?
  fleet_pid=
  return "$code"
}
# With a hosts file of its own, for resolvers that know no names under localhost. Mounts of containers that start meanwhile are
# seen there, else podman could not list them.
use_fleet() {
  cp /etc/hosts "$work/hosts"
  # shellcheck disable=SC2016
  "${enter[@]}" timeout 300 unshare -m --propagation slave sh -c 'mount --bind "$1" /etc/hosts && exec "$2" "$3" "$4" /etc/hosts "$5"' \
    sh "$work/hosts" "$VENV/bin/python" "$here/suite.py" "$work/ready.json" "$project"
}
nothing_left() { # ENDPOINT
  local running
  "${enter[@]}" node "$project/local/aws/main.ts" --endpoint "$1" --data "$work/data" --destroy || return 1
  running=$(podman ps -q --filter "label=$label")
  [ -z "$running" ] || { echo "containers still run: $running"; return 1; }
  [ "$(find "$work/data" -mindepth 1 | grep -vc -E '/(balafon-data|lock)')" -eq 0 ] || { find "$work/data"; return 1; }
  "${enter[@]}" node -e '
    const call = async (service, target, body) => {
      const scope = `test/20260101/us-east-1/${service}/aws4_request`;
      const answer = await fetch(process.argv[1], { method: "POST", body: JSON.stringify(body), headers: {
        "x-amz-target": target, "content-type": "application/x-amz-json-1.1",
        authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0` } });
      return answer.json();
    };
    (async () => {
      const { TableNames } = await call("dynamodb", "DynamoDB_20120810.ListTables", {});
      const { SecretList } = await call("secretsmanager", "secretsmanager.ListSecrets", {});
      const left = [...TableNames, ...SecretList.map(({ Name }) => Name)].filter((name) => name.startsWith("emulated-"));
      if (left.length > 0) { console.log(`left: ${left}`); process.exit(1); }
    })();' "$endpoint"
}
whole_life() { # NAME ENDPOINT
  echo "--- $1"
  if ! start_fleet "$2"; then
    not_ok "deploy:local" "$work/deploy.log"
    tail -5 "$work/emulator.log"
    return
  fi
  ok "deploy:local"
  local line before=$failed
  use_fleet 2>&1 </dev/null | tee "$work/suite.log"
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$work/suite.log" | tail -1)
  if [ -n "$line" ]; then
    passed=$((passed + ${line%% passed*}))
    line=${line##*, }
    failed=$((failed + ${line%% failed}))
  else
    not_ok "the suite did not end" "$work/suite.log"
  fi
  if [ "$failed" -gt "$before" ]; then
    for container in $(podman ps -aq --filter "label=$label"); do
      podman logs "$container" 2>&1 | grep -E '"level":"(warn|error)"' | tail -5
    done
  fi
  if end_fleet; then ok "SIGTERM ends it in order"; else not_ok "SIGTERM ends it in order" "$work/deploy.log"; fi
  if nothing_left "$2" >"$work/destroy.log" 2>&1 </dev/null; then
    ok "--destroy leaves nothing"
  else
    not_ok "--destroy leaves nothing" "$work/destroy.log"
  fi
}

whole_life "real containers" "$endpoint"

# Brokers and router are processes here, on ports that are fixed: in a network of their own, with an emulator of their own.
unshare -n sh -c 'ip link set lo up && exec sleep 3600' &
network_pid=$!
until_done() { # COMMAND...
  for _ in $(seq 1 300); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.1
  done
  return 1
}
enter=(nsenter -t "$network_pid" -n)
# Until it is the other network, with its loopback up.
until_done sh -c 'nsenter -t "$1" -n ip -o link show lo up | grep -q . && [ "$(readlink /proc/$1/ns/net)" != "$(readlink /proc/self/ns/net)" ]' sh "$network_pid"
"${enter[@]}" env GATEWAY_PORT="$port" BIND_HOST=127.0.0.1 S3_DATA_DIR="$work/s3" STATE_DIR="$work/state" LOG_LEVEL=WARNING \
  "$EMULATOR_HOME/bin/ministack" >"$work/emulator.log" 2>&1 </dev/null &
second_emulator_pid=$!
until_done "${enter[@]}" curl -sf -m 2 "$endpoint/_localstack/health"
"${enter[@]}" node "$here/free-edition/main.ts" "$endpoint" >"$work/free-edition.port" 2>"$work/free-edition.log" </dev/null &
proxy_pid=$!
until_done test -s "$work/free-edition.port"
whole_life "as on LocalStack's free edition" "http://127.0.0.1:$(cat "$work/free-edition.port")"
finish
