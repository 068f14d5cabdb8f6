#!/usr/bin/env bash
# `npm run emulator`: an AWS emulator (ministack, MIT, from PyPI) that runs real functions and real containers, until Ctrl-C.
# Needs python3 with venv, podman and runc, and root: containers get a network of their own.
#   EMULATOR_PORT    where it listens (default 4566, LocalStack's)
#   EMULATOR_HOME    what is kept between runs: the emulator itself (default: ~/.cache/balafon-emulator)
# Its state is in memory and ends with it. It listens on every address of this machine, for containers reach it that way:
# keep the port from others, who could run code through it.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
port=${EMULATOR_PORT:-4566}
home=${EMULATOR_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/balafon-emulator}
version=1.5.33
# By this it knows its containers from those of another emulator.
instance=balafon-emulator:$port

fail() {
  echo "emulator.sh: $1" >&2
  exit 1
}
for command in python3 podman runc; do
  command -v "$command" >/dev/null ||
    fail "$command is missing (Debian: apt-get install --no-install-recommends python3-venv podman runc buildah)"
done
[ "$(id -u)" -eq 0 ] || fail "must run as root: it starts containers with addresses of their own"
[ -x "$root/node_modules/.bin/node" ] || fail "there is no node_modules: run npm ci first"

if [ ! -x "$home/bin/ministack" ] || [ "$(cat "$home/version" 2>/dev/null)" != "$version" ]; then
  python3 -m venv "$home" || fail "python3 has no venv (Debian: apt-get install python3-venv)"
  "$home/bin/pip" install -q "ministack==$version" docker
  echo "$version" >"$home/version"
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/balafon-emulator-XXXXXX")
pids=()
leave() {
  trap - EXIT
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait
  # Those of services that were not deleted.
  podman ps -aq --filter "label=ministack.instance=$instance" | xargs -r podman rm -f -v -t 0 >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap leave EXIT
trap 'exit 0' INT TERM HUP

# Debian's podman 4.3 writes no line for the host that could be used; limits that cannot be raised are not raised, and
# runc, unlike crun, runs where cgroups v1 and v2 are mixed.
gateway=$(podman network inspect podman --format '{{range .Subnets}}{{.Gateway}}{{end}}')
printf '127.0.0.1 localhost\n%s host.docker.internal\n' "$gateway" >"$work/hosts"
files=$(ulimit -Hn)
[ "$files" = unlimited ] && files=1048576
cat >"$work/containers.conf" <<CONF
[containers]
default_ulimits = ["nofile=$files:$files", "nproc=4096:4096"]
base_hosts_file = "$work/hosts"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
CONF
export CONTAINERS_CONF=$work/containers.conf
podman system service -t 0 "unix://$work/podman.sock" >"$work/podman.log" 2>&1 &
pids+=($!)

# Functions run on the node that is found first.
PATH="$root/node_modules/.bin:$PATH" DOCKER_HOST="unix://$work/podman.sock" MINISTACK_HOSTNAME="${instance%:*}" GATEWAY_PORT=$port BIND_HOST=0.0.0.0 \
  S3_DATA_DIR="$work/s3" STATE_DIR="$work/state" LOG_LEVEL="${LOG_LEVEL:-WARNING}" "$home/bin/ministack" &
pids+=($!)
wait "${pids[1]}"
