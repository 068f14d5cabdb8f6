#!/usr/bin/env bash
# The images of brokers and routers in containers, on an AWS emulator: builds them, runs the vitest project `images`, and ends
# whatever it started. Needs root on Debian (installs what is missing), and a machine on which podman may make containers.
# Ends with `N passed, N failed`.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root" || exit 1
PATH=$root/node_modules/.bin:$PATH
run=balafon-images-$$
work=$(mktemp -d "${TMPDIR:-/tmp}/$run-XXXXXX")
emulator_pid=
# Names of images: of this run alone, so that nobody's else are replaced.
prefix=localhost/$run

leave() {
  local container
  for container in $(podman ps --all --quiet --filter "name=^$run-" 2>/dev/null); do
    podman rm --force --time 0 "$container" >/dev/null 2>&1
  done
  podman volume ls --quiet 2>/dev/null | grep "^$run-" | xargs -r podman volume rm --force >/dev/null 2>&1
  podman network rm --force "$run" >/dev/null 2>&1
  podman rmi --force "$prefix-broker:latest" "$prefix-router:latest" >/dev/null 2>&1
  if [ -n "$emulator_pid" ]; then kill "$emulator_pid" 2>/dev/null; fi
  rm -rf "$work"
}
trap leave EXIT

give_up() { # WHY
  echo "FAIL: $1"
  echo "0 passed, 1 failed"
  exit 1
}

[ "$(id -u)" -eq 0 ] || give_up "containers with networks of their own need root"

missing=()
for pair in podman:podman buildah:buildah runc:runc curl:curl python3:python3; do
  command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
done
python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
if [ "${#missing[@]}" -gt 0 ]; then
  command -v apt-get >/dev/null || give_up "missing, and not to be installed here: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  { timeout 300 apt-get -q update && timeout 600 apt-get -q install -y --no-install-recommends "${missing[@]}"; } \
    >"$work/apt.log" 2>&1 || { tail -5 "$work/apt.log"; give_up "could not be installed: ${missing[*]}"; }
fi

# Where root may not raise limits and control groups are of the first version: runc, and limits that every machine allows.
if [ -z "${CONTAINERS_CONF:-}" ]; then
  cat >"$work/containers.conf" <<CONF
[containers]
default_ulimits = ["nofile=1024:4096", "nproc=1024:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
CONF
  export CONTAINERS_CONF=$work/containers.conf
fi

timeout 120 bash infra/images/build.sh --tag-prefix "$prefix" || give_up "the images could not be built"
timeout 60 podman run --rm --network none --entrypoint /usr/local/bin/node "$prefix-broker" --version \
  >"$work/podman.log" 2>&1 || { cat "$work/podman.log"; give_up "podman cannot run a container on this machine"; }

{ python3 -m venv "$work/emulator" && timeout 200 "$work/emulator/bin/pip" install -q ministack==1.5.33; } \
  >"$work/pip.log" 2>&1 || { tail -5 "$work/pip.log"; give_up "no AWS emulator could be installed"; }
. test/free-port.sh
port=$(free_port)
# On all addresses: containers reach it at this machine's own in their network.
GATEWAY_PORT=$port BIND_HOST=0.0.0.0 "$work/emulator/bin/ministack" >"$work/emulator.log" 2>&1 </dev/null &
emulator_pid=$!
for _ in $(seq 1 600); do
  curl -sf -m 2 "http://127.0.0.1:$port/_localstack/health" >/dev/null && ready=1 && break
  sleep 0.2
done
[ -n "${ready:-}" ] || { tail -5 "$work/emulator.log"; give_up "the AWS emulator did not start"; }

export AWS_ENDPOINT_URL=http://127.0.0.1:$port AWS_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
export IMAGES_RUN=$run IMAGES_PREFIX=$prefix IMAGES_ENDPOINT_PORT=$port
timeout --kill-after=20 900 vitest run --project images --reporter=default --reporter=json \
  --outputFile.json="$work/report.json" </dev/null
code=$?
counts=$(node -e '
  const { numPassedTests, numFailedTests } = JSON.parse(require("node:fs").readFileSync(process.argv[1], "utf8"));
  console.log(numPassedTests, numFailedTests);' "$work/report.json" 2>/dev/null) || counts="0 0"
passed=${counts% *}
failed=${counts#* }
# What failed outside the tests is a failure too.
if [ "$code" -ne 0 ] && [ "$failed" -eq 0 ]; then failed=1; fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
