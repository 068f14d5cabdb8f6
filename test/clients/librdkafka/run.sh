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

start_cloud

kafkacat() { timeout 60 kcat -b "$BOOTSTRAP" "$@"; }
one_line() {
  echo hello | kafkacat -t hello -P && [ "$(kafkacat -t hello -C -e -q)" = hello ]
}
# A real file, by lines, once in a few batches and once in hundreds.
whole_file() {
  local file size
  file=$PROJECT/package-lock.json
  for size in 1 40; do
    for _ in $(seq 1 "$size"); do cat "$file"; done >"$WORK/input-$size"
    kafkacat -t "file-$size" -P <"$WORK/input-$size" && kafkacat -t "file-$size" -C -e -q >"$WORK/output-$size" &&
      cmp "$WORK/input-$size" "$WORK/output-$size" || return 1
  done
}
with_codec() {
  seq 1 20000 | kafkacat -t "kcat-$1" -z "$1" -P && [ "$(kafkacat -t "kcat-$1" -C -e -q)" = "$(seq 1 20000)" ]
}
with_keys() {
  printf 'a:1\nb:2\n' | kafkacat -t keys -K: -H name=value -P &&
    [ "$(kafkacat -t keys -C -e -q -f '%k=%s %h\n' | sort)" = "$(printf 'a=1 name=value\nb=2 name=value')" ]
}
over_tls() {
  seq 1 1000 | timeout 60 kcat -F "$LIBRDKAFKA_PROPERTIES" -t tls -P &&
    [ "$(timeout 60 kcat -F "$LIBRDKAFKA_PROPERTIES" -t tls -C -e -q)" = "$(seq 1 1000)" ]
}
unauthorized() { timeout 20 kcat -F "$LIBRDKAFKA_PROPERTIES" -X sasl.password=wrong -L -m 5; }

check "kcat: a line" one_line
check "kcat: a file, byte for byte" whole_file
for codec in gzip snappy lz4 zstd; do check "kcat: $codec" with_codec "$codec"; done
check "kcat: keys and headers" with_keys
check "kcat: SASL_SSL" over_tls
check "kcat: a wrong secret is refused" refuses "Authentication failed|SASL" unauthorized
check "kcat: -L" prints "3 brokers" kafkacat -L
check "kcat: -Q" prints "hello \[0\] offset 0" kafkacat -Q -t hello:0:1

timeout 300 "$VENV/bin/python" "$here/suite.py" "$BOOTSTRAP" "$LIBRDKAFKA_PROPERTIES" >"$WORK/suite.log" 2>&1 </dev/null
code=$?
cat "$WORK/suite.log"
count_of "confluent-kafka" "$WORK/suite.log" "$code"
finish
