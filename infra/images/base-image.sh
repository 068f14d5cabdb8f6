#!/usr/bin/env bash
# The base of brokers' and routers' images where no registry of images is reachable: Node of the npm package `node`, the
# shared libraries of this machine that it needs, authorities of certificates, one user who is not root; no shell, no packages.
# For the architecture of this machine only. As root, with buildah.
#   bash infra/images/base-image.sh [NAME]        (default: localhost/balafon-node:24)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
name=${1:-localhost/balafon-node:24}

fail() {
  echo "base-image.sh: $1" >&2
  exit 1
}

command -v buildah >/dev/null || fail "buildah is missing (Debian: apt-get install --no-install-recommends buildah)"
[ "$(id -u)" -eq 0 ] || fail "must run as root: files of the image belong to root"
node=$(readlink -f "$root/node_modules/node/bin/node") || fail "there is no node_modules: run npm ci first"
[ -x "$node" ] || fail "$node is not there: run npm ci first"
version=$("$node" --version)
case $version in v24.*) ;; *) fail "Node 24 is wanted, $node is $version" ;; esac
authorities=/etc/ssl/certs/ca-certificates.crt
[ -s "$authorities" ] || fail "$authorities is missing (Debian: apt-get install ca-certificates)"

work=$(mktemp -d "${TMPDIR:-/tmp}/balafon-base-XXXXXX")
trap 'rm -rf "$work"' EXIT
rootfs=$work/rootfs

# Modes are said, whatever the umask is.
install -d -m 755 "$rootfs" "$rootfs/usr/local/bin" "$rootfs/etc/ssl/certs" "$rootfs/home/node"
install -d -m 1777 "$rootfs/tmp"
install -m 755 "$node" "$rootfs/usr/local/bin/node"
install -m 644 "$authorities" "$rootfs/etc/ssl/certs/ca-certificates.crt"
# The same user as in the public image of Node.
echo 'root:x:0:0:root:/:/usr/sbin/nologin
node:x:1000:1000::/home/node:/usr/sbin/nologin' >"$rootfs/etc/passwd"
echo 'root:x:0:
node:x:1000:' >"$rootfs/etc/group"
# glibc itself knows both ways to find a host's address.
echo 'hosts: files dns' >"$rootfs/etc/nsswitch.conf"

native=$(find "$root/node_modules/@node-rs" -name '*.node' -print -quit)
[ -n "$native" ] || fail "the native CRC-32C is not in node_modules: run npm ci first"
if ldd "$node" "$native" | grep 'not found' >&2; then fail "a shared library is missing here"; fi
ldd "$node" "$native" | grep -oE '/[^ :]+' | grep -vxF -e "$node" -e "$native" | sort -u | while read -r library; do
  install -d -m 755 "$rootfs$(dirname "$library")"
  install -m 755 "$(readlink -f "$library")" "$rootfs$library"
done
chroot "$rootfs" /usr/local/bin/node -e 'require("node:crypto").randomBytes(1)' ||
  fail "Node does not start in the image: a library it loads by itself may be missing"

cat >"$work/Dockerfile" <<'DOCKERFILE'
FROM scratch
COPY rootfs/ /
ENV PATH=/usr/local/bin SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
CMD ["/usr/local/bin/node"]
DOCKERFILE
buildah bud --quiet --isolation chroot --timestamp 0 --tag "$name" "$work" >/dev/null
echo "$name: Node $version, $(($(du -sb "$rootfs" | cut -f1) / 1000000)) MB"
