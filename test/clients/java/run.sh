#!/usr/bin/env bash
# The Java client and Kafka's own tools against a local cloud. Needs a JDK of 17 or newer and Maven.
# JARS: where the jars are kept between runs (default: a folder for temporary files).
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../cloud.sh"
JARS=${JARS:-${TMPDIR:-/tmp}/balafon-kafka-jars}

# Jars that an older list of them brought are not all.
complete=$JARS/complete-$(cksum <"$here/pom.xml" | cut -d ' ' -f 1)
if [ ! -e "$complete" ]; then
  timeout 600 mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
    -DoutputDirectory="$JARS" >"$WORK/mvn.log" 2>&1 </dev/null ||
    { tail -20 "$WORK/mvn.log"; echo "0 passed, 1 failed"; exit 1; }
  touch "$complete"
fi
mkdir "$WORK/classes"
timeout 120 javac -d "$WORK/classes" -cp "$JARS/*" "$here"/*.java >"$WORK/javac.log" 2>&1 </dev/null ||
  { tail -20 "$WORK/javac.log"; echo "0 passed, 1 failed"; exit 1; }

# Groups do not wait long for more members, nor for those that are gone.
start_cloud --set num.partitions=3 --restart-after 3 \
  --set group.initial.rebalance.delay.ms=100 --set group.min.session.timeout.ms=500

run_java() { # SECONDS CLASS ARGS...
  local seconds=$1
  shift
  timeout "$seconds" java -XX:TieredStopAtLevel=1 -Xmx256m -Dlog4j2.configurationFile="$here/log4j2.properties" \
    -cp "$WORK/classes:$JARS/*" "$@"
}
tool() { run_java 90 "$@"; }

java_suite() { # NAME CLASS ARGS...
  local name=$1 code
  shift
  run_java 600 "$@" >"$WORK/suite.log" 2>&1 </dev/null
  code=$?
  cat "$WORK/suite.log"
  count_of "$name" "$WORK/suite.log" "$code"
}
java_suite "Java client" ClientSuite "$BOOTSTRAP" "$CLIENT_PROPERTIES"
java_suite "Java client, groups" GroupSuite "$BOOTSTRAP" "$CLIENT_PROPERTIES" "$PROJECT" "$DATA"

topics() { tool org.apache.kafka.tools.TopicCommand --bootstrap-server "$BOOTSTRAP" "$@"; }
configs() { tool kafka.admin.ConfigCommand --bootstrap-server "$BOOTSTRAP" "$@"; }
offsets() { tool org.apache.kafka.tools.GetOffsetShell --bootstrap-server "$BOOTSTRAP" "$@"; }
console_producer() { tool org.apache.kafka.tools.ConsoleProducer --bootstrap-server "$BOOTSTRAP" "$@"; }
console_consumer() { tool org.apache.kafka.tools.consumer.ConsoleConsumer --bootstrap-server "$BOOTSTRAP" "$@"; }
producer_perf() {
  tool org.apache.kafka.tools.ProducerPerformance --num-records 20000 --record-size 1024 --throughput -1 "$@"
}

check "kafka-topics --create" topics --create --topic tools --partitions 4 --replication-factor 3
check "kafka-topics --create again is refused" refuses "already exists" topics --create --topic tools
check "kafka-topics --list" prints "^tools$" topics --list
check "kafka-topics --describe" prints "PartitionCount: 4.*ReplicationFactor: 3" topics --describe --topic tools
more_partitions() {
  topics --alter --topic tools --partitions 6 && prints "PartitionCount: 6" topics --describe --topic tools
}
check "kafka-topics --alter --partitions" more_partitions
check "kafka-topics --describe --under-replicated-partitions" topics --describe --under-replicated-partitions
check "kafka-configs --alter a topic" configs --alter --entity-type topics --entity-name tools \
  --add-config retention.ms=3600000,segment.bytes=1048576
check "kafka-configs --describe a topic" prints "retention.ms=3600000" \
  configs --describe --entity-type topics --entity-name tools
check "kafka-configs refuses an unknown name" refuses "nknown|nvalid" \
  configs --alter --entity-type topics --entity-name tools --add-config no.such.config=1
check "kafka-configs --describe a broker, all" prints "num.partitions=3" \
  configs --describe --entity-type brokers --entity-name 1 --all

console_round_trip() {
  topics --create --topic console --partitions 1 && seq 1 100 | console_producer --topic console &&
    [ "$(console_consumer --topic console --partition 0 --offset earliest --max-messages 100 2>/dev/null)" = "$(seq 1 100)" ]
}
check "kafka-console-producer and -consumer, by partition" console_round_trip
check "kafka-get-offsets, latest" prints "^console:0:100$" offsets --topic console
check "kafka-get-offsets, earliest" prints "^console:0:0$" offsets --topic console --time earliest
delete_records() {
  echo '{"version":1,"partitions":[{"topic":"console","partition":0,"offset":40}]}' >"$WORK/delete.json"
  tool org.apache.kafka.tools.DeleteRecordsCommand --bootstrap-server "$BOOTSTRAP" --offset-json-file "$WORK/delete.json" &&
    prints "^console:0:40$" offsets --topic console --time earliest
}
check "kafka-delete-records" delete_records
check "kafka-broker-api-versions" prints "Produce\(0\)" \
  tool org.apache.kafka.tools.BrokerApiVersionsCommand --bootstrap-server "$BOOTSTRAP"
check "kafka-producer-perf-test" prints "20000 records sent" \
  producer_perf --topic perf --producer-props "bootstrap.servers=$BOOTSTRAP" acks=all
for codec in gzip snappy lz4 zstd; do
  check "kafka-producer-perf-test, $codec" prints "20000 records sent" \
    producer_perf --topic "perf-$codec" --producer-props "bootstrap.servers=$BOOTSTRAP" acks=all "compression.type=$codec"
done
check "kafka-producer-perf-test over SASL_SSL" prints "20000 records sent" \
  producer_perf --topic perf --producer.config "$CLIENT_PROPERTIES"
check "kafka-topics over SASL_SSL" prints "^tools$" tool org.apache.kafka.tools.TopicCommand \
  --bootstrap-server "$(sed -n 's/^bootstrap.servers=//p' "$CLIENT_PROPERTIES")" --command-config "$CLIENT_PROPERTIES" --list
groups() { tool org.apache.kafka.tools.consumer.group.ConsumerGroupCommand --bootstrap-server "$BOOTSTRAP" "$@"; }
# The table of --describe, by the names of its columns: `cell OFFSETS_TABLE PARTITION COLUMN`.
offset_of() { # GROUP PARTITION
  groups --describe --group "$1" --offsets 2>/dev/null | awk -v partition="$2" '$3 == partition { print $4 }'
}
read_by_group() { # GROUP COUNT: the next records that the console consumer is given, in order
  console_consumer --topic grouped --group "$1" --max-messages "$2" --timeout-ms 60000 2>/dev/null | sort -n
}
console_group() {
  topics --create --topic grouped --partitions 3 && seq 1 90 | console_producer --topic grouped --producer-property partitioner.class=org.apache.kafka.clients.producer.RoundRobinPartitioner --producer-property linger.ms=0 --producer-property batch.size=1 || return 1
  console_consumer --topic grouped --group readers --from-beginning --max-messages 90 --timeout-ms 60000 >"$WORK/first" 2>/dev/null
  [ "$(sort -n "$WORK/first")" = "$(seq 1 90)" ] || return 1
  seq 91 100 | console_producer --topic grouped && [ "$(read_by_group readers 10)" = "$(seq 91 100)" ]
}
reset_to() { # EXPECTED_OFFSET OPTIONS...
  local expected=$1
  shift
  groups --reset-offsets --group readers --topic grouped:0 --execute "$@" && [ "$(offset_of readers 0)" = "$expected" ]
}
reset_everywhere() {
  groups --reset-offsets --group readers --all-topics --to-earliest --execute && [ "$(read_by_group readers 100)" = "$(seq 1 100)" ]
}
reset_from_file() {
  groups --reset-offsets --group readers --topic grouped:0 --to-offset 3 --dry-run --export >"$WORK/plan.csv" 2>/dev/null &&
    grep -q '"\?grouped"\?,0,3' "$WORK/plan.csv" && reset_to 3 --from-file "$WORK/plan.csv"
}
while_it_runs() {
  local code=0
  # For longer than all of it takes, each of which is a JVM; as the child itself, which can be told to end.
  (exec timeout 900 java -XX:TieredStopAtLevel=1 -Xmx256m -Dlog4j2.configurationFile="$here/log4j2.properties" \
    -cp "$WORK/classes:$JARS/*" org.apache.kafka.tools.consumer.ConsoleConsumer \
    --bootstrap-server "$BOOTSTRAP" --topic grouped --group running) >/dev/null 2>&1 &
  local reader=$!
  for _ in $(seq 1 20); do groups --describe --group running --state 2>/dev/null | grep -q Stable && break; done
  prints "running +.* range +Stable +1" groups --describe --group running --state &&
    prints "running +console-consumer-.*/127.0.0.1 +console-consumer +3" groups --describe --group running --members &&
    prints "grouped\(0,1,2\)|grouped:0,1,2" groups --describe --group running --members --verbose &&
    prints "running +grouped +2 +.* +console-consumer" groups --describe --group running --offsets &&
    refuses "is not empty|non-empty|NON_EMPTY|GroupNotEmpty" groups --delete --group running &&
    refuses "Stable|inactive" groups --reset-offsets --group running --topic grouped --to-earliest --execute &&
    refuses "subscribed" groups --delete-offsets --group running --topic grouped &&
    prints "running +Stable" groups --list --state stable || code=1
  kill "$reader" && wait "$reader"
  return "$code"
}
delete_offsets() {
  groups --delete-offsets --group readers --topic grouped:0 && [ -z "$(offset_of readers 0)" ] && [ -n "$(offset_of readers 1)" ]
}
deleted_group() {
  prints "eletion of requested consumer groups.*successful" groups --delete --group readers &&
    ! groups --list 2>/dev/null | grep -q '^readers$' &&
    refuses "does not exist|could not be found|not found" groups --describe --group readers
}

check "kafka-console-consumer --group: goes on where it stopped" console_group
check "kafka-consumer-groups --list" prints "^readers$" groups --list
check "kafka-consumer-groups --list --state" prints "readers +Empty" groups --list --state
check "kafka-consumer-groups --describe" prints "readers +grouped +0 +[0-9]+ +[0-9]+ +0 " groups --describe --group readers
check "kafka-consumer-groups --describe --all-groups" prints "readers +grouped" groups --describe --all-groups
check "kafka-consumer-groups --reset-offsets --to-offset" reset_to 5 --to-offset 5
check "kafka-consumer-groups --reset-offsets --shift-by" reset_to 8 --shift-by 3
check "kafka-consumer-groups --reset-offsets --to-current" reset_to 8 --to-current
check "kafka-consumer-groups --reset-offsets --to-datetime" reset_to 0 --to-datetime 2020-01-01T00:00:00.000
check "kafka-consumer-groups --reset-offsets --by-duration" reset_to 0 --by-duration P1D
check "kafka-consumer-groups --reset-offsets --from-file" reset_from_file
check "kafka-consumer-groups --reset-offsets --to-earliest, all topics" reset_everywhere
check "kafka-consumer-groups with a member at work" while_it_runs
check "kafka-consumer-groups --delete-offsets" delete_offsets
check "kafka-consumer-groups --delete" deleted_group
check "kafka-consumer-perf-test" prints "20000" tool org.apache.kafka.tools.ConsumerPerformance \
  --bootstrap-server "$BOOTSTRAP" --topic perf-lz4 --num-records 20000 --group perf --timeout 60000
check "kafka-e2e-latency" prints "Avg latency" tool org.apache.kafka.tools.EndToEndLatency \
  --bootstrap-server "$BOOTSTRAP" --topic e2e --num-records 200 --producer-acks all --record-size 100
check "kafka-groups --list" prints "perf +Classic +consumer" tool org.apache.kafka.tools.GroupsCommand --bootstrap-server "$BOOTSTRAP" --list

. "$here/connect.sh"
connect_suite

check "kafka-topics --delete" topics --delete --topic tools
check "kafka-topics --list, afterwards" refuses "^console$" topics --list
finish
