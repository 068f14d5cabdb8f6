#!/bin/sh
# Puts the official kafka-clients jar, and the logging interface it needs, where the conformance suite looks for them.
# The jar is a test oracle only: it stays in a git-ignored folder and nothing of it is committed.
set -eu

version="${KAFKA_CLIENTS_VERSION:-4.3.1}"
root="$(cd "$(dirname "$0")/../.." && pwd)"
cache="$root/node_modules/.cache/kafka-clients"

fetch() {
  if [ -f "$cache/$2" ]; then
    echo "there already: $cache/$2"
    return
  fi
  mvn -q -B dependency:copy -Dartifact="$1" -DoutputDirectory="$cache" -Dmdep.useBaseVersion=true
  echo "fetched: $cache/$2"
}

mkdir -p "$cache"
fetch "org.apache.kafka:kafka-clients:$version" "kafka-clients-$version.jar"
fetch "org.slf4j:slf4j-api:1.7.36" "slf4j-api-1.7.36.jar"
