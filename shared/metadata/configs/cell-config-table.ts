/**
 * Broker configurations by Kafka's names. They belong to the cell: all its brokers have the same. Those with `dynamic`
 * can be changed; the others are shown because clients and tools ask for them, with the value that is true here.
 */
import { between, type ConfigDefinition, oneOf } from "./config-definition.ts";
import { topicConfigTable } from "./topic-config-table.ts";

export interface CellConfigDefinition extends ConfigDefinition {
  readonly dynamic: boolean;
}

type Row = readonly [string, ConfigDefinition["type"], string, string, ConfigDefinition["check"]?];

/** Changed by alter-configs; what is honoured is so at once. */
const dynamicRows: readonly Row[] = [
  [
    "auto.create.topics.enable",
    "BOOLEAN",
    "true",
    "Whether a topic is made when a client asks for one that is not there.",
  ],
  [
    "default.replication.factor",
    "INT",
    "3",
    "Replicas of a topic that is made without saying how many.",
    between(1, 32767),
  ],
  ["num.partitions", "INT", "1", "Partitions of a topic that is made without saying how many.", between(1)],
  [
    "group.initial.rebalance.delay.ms",
    "INT",
    "3000",
    "Wait for members before a group's first rebalance; begins again with each, up to the rebalance timeout.",
    between(0),
  ],
  ["group.max.session.timeout.ms", "INT", "1800000", "Longest session timeout of a member.", between(1)],
  ["group.min.session.timeout.ms", "INT", "6000", "Shortest session timeout of a member.", between(1)],
  ["group.max.size", "INT", "2147483647", "Members of a group.", between(1)],
  [
    "offsets.retention.minutes",
    "INT",
    "10080",
    "How long offsets are kept after their group became empty, or no longer reads the topic.",
    between(1),
  ],
  ["offset.metadata.max.bytes", "INT", "4096", "Longest metadata of a committed offset.", between(0)],
  [
    "offsets.topic.num.partitions",
    "INT",
    "64",
    "Internal partitions that hold groups and their offsets; read once, when the first group is looked for.",
    between(1, 1000),
  ],
  [
    "offsets.topic.replication.factor",
    "SHORT",
    "3",
    "Replicas of those partitions; read once, like their number.",
    between(1, 32767),
  ],
  [
    "transaction.max.timeout.ms",
    "INT",
    "900000",
    "Without effect until transactions are served: longest timeout of a transaction.",
    between(1),
  ],
  [
    "transactional.id.expiration.ms",
    "INT",
    "604800000",
    "Without effect until transactions are served: how long an idle transactional id is kept.",
    between(1),
  ],
  [
    "producer.id.expiration.ms",
    "INT",
    "86400000",
    "Without effect: the state of an idle producer is kept for a day.",
    between(1),
  ],
  ["log.cleaner.enable", "BOOLEAN", "true", "Whether logs with cleanup.policy=compact are compacted."],
  [
    "log.cleaner.backoff.ms",
    "LONG",
    "15000",
    "Between two looks for logs to compact, when there was none.",
    between(0),
  ],
  [
    "log.cleaner.dedupe.buffer.size",
    "LONG",
    "67108864",
    "Memory for the keys of one log, 32 bytes a key; used while a broker compacts, and only as far as needed.",
    between(1024 * 1024, 8 * 1024 * 1024 * 1024),
  ],
  [
    "log.cleaner.io.max.bytes.per.second",
    "DOUBLE",
    "268435456",
    "Bytes that compaction reads and writes in a second, over all logs of a broker.",
    between(1024),
  ],
  ["fetch.max.bytes", "INT", "57671680", "Bytes of one fetch answer.", between(1024)],
  [
    "max.incremental.fetch.session.cache.slots",
    "INT",
    "1000",
    "Without effect: a broker keeps 2,000 fetch sessions, 1,000 of a tenant.",
    between(0),
  ],
];

/** Shown, never changed. */
const fixedRows: readonly Row[] = [
  ["authorizer.class.name", "STRING", "", "Access is checked by the cell itself."],
  ["auto.leader.rebalance.enable", "BOOLEAN", "true", "Leadership is balanced by the controller."],
  ["controlled.shutdown.enable", "BOOLEAN", "true", "Leadership moves before a broker ends."],
  ["delete.topic.enable", "BOOLEAN", "true", "Topics can be deleted."],
  ["inter.broker.protocol.version", "STRING", "4.0-IV3", "The Kafka protocol that brokers appear to speak."],
  ["log.cleaner.threads", "INT", "1", "A broker compacts one log at a time.", between(1)],
  [
    "log.cleaner.io.buffer.load.factor",
    "DOUBLE",
    "0.75",
    "Share of the memory for keys that is filled.",
    between(0, 1),
  ],
  ["log.retention.check.interval.ms", "LONG", "30000", "Time between two looks for segments to delete.", between(1)],
  ["max.connections.per.ip", "INT", "10000", "Connections from one address to a listener.", between(0)],
  [
    "replica.lag.time.max.ms",
    "LONG",
    "10000",
    "How long a voter may lag before it is reported out of sync.",
    between(1),
  ],
  ["socket.request.max.bytes", "INT", "104857600", "Largest request.", between(1)],
  [
    "transaction.state.log.min.isr",
    "INT",
    "2",
    "Without effect until transactions are served: replicas that must have its state.",
    between(1),
  ],
  [
    "transaction.state.log.num.partitions",
    "INT",
    "64",
    "Without effect until transactions are served: internal partitions that hold them.",
    between(1),
  ],
  [
    "transaction.state.log.replication.factor",
    "SHORT",
    "3",
    "Without effect until transactions are served: replicas of those partitions.",
    between(1),
  ],
  ["group.coordinator.rebalance.protocols", "LIST", "classic", "Group protocols that are served."],
  ["sasl.enabled.mechanisms", "LIST", "PLAIN", "SASL mechanisms that are offered."],
  [
    "security.inter.broker.protocol",
    "STRING",
    "SSL",
    "Brokers speak to one another over their own authenticated link.",
    oneOf("SSL"),
  ],
];

function defined([name, type, defaultValue, documentation, check]: Row, dynamic: boolean): CellConfigDefinition {
  return { name, type, default: defaultValue, documentation, dynamic, ...(check === undefined ? {} : { check }) };
}

/** The defaults of all topics: each is the topic configuration under its broker name. */
const topicDefaults: readonly CellConfigDefinition[] = [...topicConfigTable.values()].flatMap((topic) => {
  const { brokerSynonym, ...definition } = topic;
  return brokerSynonym === undefined ? [] : [{ ...definition, name: brokerSynonym, dynamic: true }];
});

export const cellConfigTable: ReadonlyMap<string, CellConfigDefinition> = new Map(
  [
    ...dynamicRows.map((row) => defined(row, true)),
    ...fixedRows.map((row) => defined(row, false)),
    ...topicDefaults,
  ].map((definition) => [definition.name, definition]),
);
