#!/usr/bin/env bash
# The Java client and Kafka's own tools against a local cloud. Needs a JDK of 17 or newer and Maven.
# JARS: where the jars are kept between runs (default: a folder for temporary files).
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../cloud.sh"
JARS=${JARS:-${TMPDIR:-/tmp}/balafon-kafka-jars}

if [ ! -e "$JARS/complete" ]; then
  timeout 600 mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
    -DoutputDirectory="$JARS" >"$WORK/mvn.log" 2>&1 </dev/null ||
    { tail -20 "$WORK/mvn.log"; echo "0 passed, 1 failed"; exit 1; }
  touch "$JARS/complete"
fi

start_cloud --set num.partitions=3

run_java() { # SECONDS CLASS_OR_FILE ARGS...
  local seconds=$1
  shift
  timeout "$seconds" java -XX:TieredStopAtLevel=1 -Xmx256m -Dlog4j2.configurationFile="$here/log4j2.properties" \
    -cp "$JARS/*" "$@"
}
tool() { run_java 90 "$@"; }

run_java 300 "$here/ClientSuite.java" "$BOOTSTRAP" "$CLIENT_PROPERTIES" >"$WORK/suite.log" 2>&1 </dev/null
code=$?
cat "$WORK/suite.log"
count_of "Java client" "$WORK/suite.log" "$code"

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
check "kafka-topics --delete" topics --delete --topic tools
check "kafka-topics --list, afterwards" refuses "^console$" topics --list
finish
