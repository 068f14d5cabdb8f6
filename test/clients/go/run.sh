#!/usr/bin/env bash
# franz-go against a local cloud. Needs Go 1.19 or newer.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../cloud.sh"

(cd "$here" && timeout 600 go build -o "$WORK/client-suite" . ) >"$WORK/build.log" 2>&1 </dev/null ||
  { tail -20 "$WORK/build.log"; echo "0 passed, 1 failed"; exit 1; }

# Groups do not wait long for more members, nor for those that are gone.
start_cloud --restart-after 3 --set group.initial.rebalance.delay.ms=100 --set group.min.session.timeout.ms=500
timeout 800 "$WORK/client-suite" "$BOOTSTRAP" "$LIBRDKAFKA_PROPERTIES" "$PROJECT" "$DATA" >"$WORK/suite.log" 2>&1 </dev/null
code=$?
cat "$WORK/suite.log"
count_of "franz-go" "$WORK/suite.log" "$code"
finish
