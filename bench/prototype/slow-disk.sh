#!/bin/sh
# Runs slow-disk.ts on a scratch ext4 in a file, seen by this script alone (root; Linux).
# 1: the file system is frozen for 2 s of every 6 s.  2: 1 MB of dirty bytes at most, then the writer is throttled.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if [ "${1:-}" != inside ]; then exec unshare -m "$0" inside; fi
scratch=$(mktemp -d)
truncate -s 1G "$scratch/disk"
mkfs.ext4 -q "$scratch/disk"
mkdir "$scratch/mount"
mount -o loop "$scratch/disk" "$scratch/mount"
freezer=
trap 'kill $freezer 2>/dev/null || true; fsfreeze -u "$scratch/mount" 2>/dev/null || true; umount "$scratch/mount"; rm -rf "$scratch"' EXIT
(while sleep 3; do fsfreeze -f "$scratch/mount"; sleep 2; fsfreeze -u "$scratch/mount"; sleep 1; done) &
freezer=$!
echo "frozen 2 s"
DIR="$scratch/mount" ROUNDS=1 node "$here/slow-disk.ts" '50 MB'
kill $freezer; sleep 0.2; fsfreeze -u "$scratch/mount" 2>/dev/null || true
bdi=/sys/class/bdi/$(mountpoint -d "$scratch/mount")
echo 1 >"$bdi/strict_limit"; echo 1048576 >"$bdi/max_bytes"
echo "1 MB of dirty bytes"
DIR="$scratch/mount" ROUNDS=1 node "$here/slow-disk.ts"
