#!/usr/bin/env bash
# Builds the images of brokers and routers with buildah, for the architecture of this machine, as root:
#   bash infra/images/build.sh [--tag-prefix PREFIX] [--base IMAGE]
# They are PREFIX-broker:latest and PREFIX-router:latest (default localhost/balafon). IMAGE is pulled when it is not here;
# without it the base is made by base-image.sh from what is on this machine, and no registry of images is asked.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
prefix=localhost/balafon
base=

fail() {
  echo "build.sh: $1" >&2
  exit 1
}

while [ "$#" -gt 0 ]; do
  [ "$#" -gt 1 ] || fail "$1 needs a value"
  case $1 in
    --tag-prefix) prefix=$2 ;;
    --base) base=$2 ;;
    *) fail "unknown option $1" ;;
  esac
  shift 2
done
command -v buildah >/dev/null || fail "buildah is missing (Debian: apt-get install --no-install-recommends buildah)"
case $(uname -m) in
  x86_64) cpu=x64 ;;
  aarch64) cpu=arm64 ;;
  *) fail "no architecture for which there are images: $(uname -m)" ;;
esac

pull=true
if [ -z "$base" ]; then
  base=localhost/balafon-node:24
  pull=never
  bash "$here/base-image.sh" "$base"
fi
(cd "$root" && PATH=$root/node_modules/.bin:$PATH node infra/images/bundle.ts --cpu "$cpu")
for deployable in broker router; do
  image=$prefix-$deployable:latest
  buildah bud --quiet --isolation chroot --timestamp 0 --pull="$pull" --build-arg BASE_IMAGE="$base" --tag "$image" \
    "$here/$deployable" >/dev/null
  echo "$image: $(buildah images --format '{{.Size}}' "$image"), of which /app $(du -sb "$here/$deployable/app" | awk '{ printf "%.1f MB", $1 / 1e6 }')"
done
