#!/usr/bin/env bash
# kcat and confluent-kafka for Python, both on librdkafka. Needs kcat and python3 with venv.
# VENV: where the Python packages are kept between runs (default: a folder for temporary files).
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../cloud.sh"
VENV=${VENV:-${TMPDIR:-/tmp}/balafon-librdkafka-venv}

if [ ! -x "$VENV/bin/python" ]; then
  python3 -m venv "$VENV" </dev/null || { echo "0 passed, 1 failed"; exit 1; }
fi
timeout 300 "$VENV/bin/pip" install -q --only-binary :all: -r "$here/requirements.txt" >"$WORK/pip.log" 2>&1 </dev/null ||
  { tail -5 "$WORK/pip.log"; echo "0 passed, 1 failed"; exit 1; }

# Groups do not wait long for more members, nor for those that are gone.
start_cloud --restart-after 3 \
  --set group.initial.rebalance.delay.ms=100 --set group.min.session.timeout.ms=500

kafkacat() { timeout 60 kcat -b "$BOOTSTRAP" "$@"; }
# Where each record has to be there once and in its order, whatever befalls a leader on a busy machine meanwhile.
once="-X enable.idempotence=true"
new_topic() { # TOPIC PARTITIONS
  timeout 60 "$VENV/bin/python" -c 'import sys
from confluent_kafka.admin import AdminClient, NewTopic
admin = AdminClient({"bootstrap.servers": sys.argv[1]})
admin.create_topics([NewTopic(sys.argv[2], int(sys.argv[3]), 3)])[sys.argv[2]].result()' "$BOOTSTRAP" "$1" "$2"
}
one_line() {
  # As people type it: without idempotence a line may come twice.
  echo hello | kafkacat -t hello -P && [ "$(kafkacat -t hello -C -e -q | sort -u)" = hello ]
}
# A real file, by lines, once in a few batches and once in hundreds.
whole_file() {
  local file size
  file=$PROJECT/package-lock.json
  for size in 1 40; do
    for _ in $(seq 1 "$size"); do cat "$file"; done >"$WORK/input-$size"
    kafkacat -t "file-$size" $once -P <"$WORK/input-$size" && kafkacat -t "file-$size" -C -e -q >"$WORK/output-$size" &&
      cmp "$WORK/input-$size" "$WORK/output-$size" || return 1
  done
}
with_codec() {
  seq 1 20000 | kafkacat -t "kcat-$1" -z "$1" $once -P && [ "$(kafkacat -t "kcat-$1" -C -e -q)" = "$(seq 1 20000)" ]
}
with_keys() {
  printf 'a:1\nb:2\n' | kafkacat -t keys -K: -H name=value $once -P &&
    [ "$(kafkacat -t keys -C -e -q -f '%k=%s %h\n' | sort)" = "$(printf 'a=1 name=value\nb=2 name=value')" ]
}
over_tls() {
  seq 1 1000 | timeout 60 kcat -F "$LIBRDKAFKA_PROPERTIES" -t tls $once -P &&
    [ "$(timeout 60 kcat -F "$LIBRDKAFKA_PROPERTIES" -t tls -C -e -q)" = "$(seq 1 1000)" ]
}
# Again when nothing was said in time: kcat waits for so many seconds, whatever it is told.
unauthorized() {
  local seconds output
  for seconds in 5 20; do
    output=$(timeout 40 kcat -F "$LIBRDKAFKA_PROPERTIES" -X sasl.password=wrong -L -m "$seconds" 2>&1)
    echo "$output"
    grep -q SASL <<<"$output" && return
  done
}

# A broker that stands still for a moment is not named meanwhile.
three_brokers() {
  for _ in $(seq 1 20); do
    prints "3 brokers" kafkacat -L -m 20 && return
    sleep 1
  done
  return 1
}

check "kcat: a line" one_line
check "kcat: a file, byte for byte" whole_file
for codec in gzip snappy lz4 zstd; do check "kcat: $codec" with_codec "$codec"; done
check "kcat: keys and headers" with_keys
check "kcat: SASL_SSL" over_tls
check "kcat: a wrong secret is refused" refuses "Authentication failed|SASL" unauthorized
check "kcat: -L" three_brokers
check "kcat: -Q" prints "hello \[0\] offset 0" kafkacat -Q -t hello:0:1 -m 20

# A member of a group: each line of its output is one record. Sets MEMBER. Checks run in shells of their own, which end
# their members. Its session is short, so that one that is killed is missed soon, and longer than a machine stands still:
# who is held for dead cannot commit at its end.
join_group() { # GROUP TOPIC OUTPUT
  trap 'kill -9 $(jobs -p) 2>/dev/null' EXIT
  kcat -b "$BOOTSTRAP" -u -q -X auto.offset.reset=earliest -X session.timeout.ms=6000 \
    -X heartbeat.interval.ms=200 -G "$1" "$2" >"$3" 2>/dev/null </dev/null &
  MEMBER=$!
}
lines_come() { # COUNT FILES...: until so many different lines are there
  local count=$1
  shift
  for _ in $(seq 1 900); do
    [ "$(sort -u "$@" | wc -l)" -ge "$count" ] && return
    sleep 0.1
  done
  wc -l "$@"
  return 1
}
# Lines FROM to FROM + 299 into topic trio, a hundred to each of its partitions: whoever has read all of them owned each
# partition. (Left to itself the producer may put them all into one.)
write_trio() { # FROM
  local partition
  for partition in 0 1 2; do
    seq $(($1 + partition * 100)) $(($1 + partition * 100 + 99)) | kafkacat -t trio -p "$partition" $once -P || return 1
  done
}
# One of three members is killed with -9, then another one in the middle of it. The last one, which ends in order, has
# taken over the partitions of both: lines_come waits for lines of each.
three_members() {
  local members=() number
  new_topic trio 3 && write_trio 1 || return 1
  for number in 1 2 3; do
    join_group trio trio "$WORK/trio-$number"
    members+=("$MEMBER")
  done
  lines_come 300 "$WORK/trio-1" "$WORK/trio-2" "$WORK/trio-3" || return 1
  kill -9 "${members[0]}"
  write_trio 301 && lines_come 600 "$WORK/trio-1" "$WORK/trio-2" "$WORK/trio-3" || return 1
  kill -9 "${members[1]}"
  write_trio 601 && lines_come 900 "$WORK/trio-1" "$WORK/trio-2" "$WORK/trio-3" || return 1
  kill "${members[2]}" && wait "${members[2]}"
  [ "$(sort -nu "$WORK/trio-1" "$WORK/trio-2" "$WORK/trio-3")" = "$(seq 1 900)" ]
}
# What was read before an orderly end is not read again.
goes_on() {
  seq 901 910 | kafkacat -t trio $once -P && join_group trio trio "$WORK/again" && lines_come 10 "$WORK/again" || return 1
  kill "$MEMBER" && wait "$MEMBER"
  diff <(seq 901 910) <(sort -n "$WORK/again")
}
check "kcat -G: three members, two killed with -9" three_members
check "kcat -G: goes on where the group stopped" goes_on

run_suite() { # NAME FILE ARGS...
  local name=$1 code
  shift
  timeout 500 "$VENV/bin/python" "$here/$1" "$BOOTSTRAP" "$LIBRDKAFKA_PROPERTIES" "${@:2}" >"$WORK/suite.log" 2>&1 </dev/null
  code=$?
  cat "$WORK/suite.log"
  count_of "$name" "$WORK/suite.log" "$code"
}
run_suite "confluent-kafka" suite.py
run_suite "confluent-kafka, groups" groups.py "$PROJECT" "$DATA"
finish
