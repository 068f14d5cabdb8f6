# Sourced by run.sh: Kafka Connect, distributed over two workers, with a file as source and a file as sink. Its configuration,
# offsets and states are in compacted topics.
. "$PROJECT/test/free-port.sh"
connect_ports=("$(free_port)" "$(free_port)")
worker_pids=(0 0)

start_worker() { # NUMBER, from 0
  local port=${connect_ports[$1]} properties=$WORK/connect-$1.properties
  cat >"$properties" <<END
bootstrap.servers=$BOOTSTRAP
group.id=connect
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
config.storage.topic=connect-configs
offset.storage.topic=connect-offsets
status.storage.topic=connect-status
offset.storage.partitions=5
status.storage.partitions=3
config.storage.replication.factor=3
offset.storage.replication.factor=3
status.storage.replication.factor=3
offset.flush.interval.ms=500
session.timeout.ms=3000
heartbeat.interval.ms=500
scheduled.rebalance.max.delay.ms=500
listeners=http://127.0.0.1:$port
rest.advertised.host.name=127.0.0.1
rest.advertised.port=$port
plugin.discovery=service_load
END
  java -XX:TieredStopAtLevel=1 -Xmx256m -Dlog4j2.configurationFile="$here/log4j2.properties" -cp "$JARS/*" \
    org.apache.kafka.connect.cli.ConnectDistributed "$properties" >>"$WORK/connect-$1.log" 2>&1 </dev/null &
  worker_pids[$1]=$!
}
end_workers() {
  local pid
  for pid in "${worker_pids[@]}"; do
    [ "$pid" -ne 0 ] && kill "$@" "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
  done
  worker_pids=(0 0)
}
rest() { # NUMBER PATH CURL_OPTIONS...
  curl -sf -m 10 -H 'Content-Type: application/json' "http://127.0.0.1:${connect_ports[$1]}$2" "${@:3}"
}
comes() { # COMMAND...: until it succeeds
  for _ in $(seq 1 600); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.2
  done
  echo "not in time: $*"
  tail -n 5 "$WORK"/connect-?.log
  return 1
}
sink_has() { [ "$(sort -nu "$WORK/sink" 2>/dev/null)" = "$(seq 1 "$1")" ]; }
serves() { rest "$1" /connectors; }
runs() { # NUMBER CONNECTOR
  [ "$(rest "$1" "/connectors/$2/status" | grep -o RUNNING | wc -l)" -eq 2 ]
}

file_to_file() {
  seq 1 1000 >"$WORK/source"
  comes serves 0 && comes serves 1 || return 1
  comes rest 0 /connectors/source/config -X PUT -d "{\"connector.class\":\"FileStreamSource\",\"file\":\"$WORK/source\",\"topic\":\"lines\"}" &&
    comes rest 1 /connectors/sink/config -X PUT -d "{\"connector.class\":\"FileStreamSink\",\"file\":\"$WORK/sink\",\"topics\":\"lines\"}" &&
    comes sink_has 1000
}
compacted() {
  local topic
  for topic in connect-configs connect-offsets connect-status; do
    prints "cleanup.policy=compact" configs --describe --entity-type topics --entity-name "$topic" || return 1
  done
}
# The other one takes over what it did.
without_a_worker() {
  seq 1001 2000 >>"$WORK/source"
  comes sink_has 2000 && comes runs 1 source && comes runs 1 sink
}
# Where the source stopped is in a compacted topic, where the sink stopped is the offset of its group.
# What a worker that was busy could not commit in time comes again, but nothing from the beginning.
after_a_restart() {
  seq 2001 3000 >>"$WORK/source"
  comes serves 0 && comes sink_has 3000 && ! tail -n "+$((sink_before + 1))" "$WORK/sink" | grep -qx 1
}
connect_suite() {
  start_worker 0
  start_worker 1
  check "Kafka Connect: a file through two workers into a file" file_to_file
  check "Kafka Connect: its topics are compacted" compacted
  check "Kafka Connect: its group is listed" prints "^connect +.*Classic +connect" \
    tool org.apache.kafka.tools.GroupsCommand --bootstrap-server "$BOOTSTRAP" --list
  kill -9 "${worker_pids[0]}"
  wait "${worker_pids[0]}" 2>/dev/null
  worker_pids[0]=0
  check "Kafka Connect: a worker killed with -9" without_a_worker
  end_workers
  sink_before=$(wc -l <"$WORK/sink")
  start_worker 0
  check "Kafka Connect: goes on where it stopped" after_a_restart
  end_workers
}
