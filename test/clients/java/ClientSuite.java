import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Kafka's Java client without groups: `ClientSuite BOOTSTRAP CLIENT_PROPERTIES`. Ends with `N passed, N failed`. */
public class ClientSuite {
  interface Check {
    void run() throws Exception;
  }

  static String bootstrap;
  static Properties secure;
  static int passed = 0;
  static int failed = 0;

  public static void main(String[] args) throws Exception {
    readArguments(args);
    for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
      check("produce and consume, " + codec, () -> roundTrip(plain(), "java-" + codec, codec));
    }
    check("headers, keys, null values, timestamps", ClientSuite::richRecords);
    check("round trip over SASL_SSL", () -> roundTrip(secure, "java-secure", "lz4"));
    check("a wrong secret is refused", ClientSuite::wrongSecret);
    check("batches of many partitions", ClientSuite::manyPartitions);
    check("offsets for times, earliest, latest, max timestamp", ClientSuite::offsets);
    check("create, describe, grow and delete topics", ClientSuite::topics);
    check("topic errors have Kafka's codes", ClientSuite::topicErrors);
    check("topic and broker configs", ClientSuite::configs);
    check("delete records", ClientSuite::deleteRecords);
    check("describe the cluster", ClientSuite::describeCluster);
    check("a record too large is refused for good", ClientSuite::tooLarge);
    check("read_committed reads what is committed", ClientSuite::readCommitted);
    finish();
  }

  static void readArguments(String[] args) throws Exception {
    bootstrap = args[0];
    secure = new Properties();
    try (var reader = Files.newBufferedReader(Path.of(args[1]), StandardCharsets.UTF_8)) {
      secure.load(reader);
    }
  }

  static void finish() {
    System.out.println(passed + " passed, " + failed + " failed");
    System.exit(failed == 0 ? 0 : 1);
  }

  /** With -Donly=WORDS just the checks whose names have them. */
  static void check(String name, Check check) {
    if (!name.contains(System.getProperty("only", ""))) return;
    try {
      check.run();
      passed++;
      System.out.println("ok    " + name);
    } catch (Throwable error) {
      failed++;
      System.out.println("FAIL  " + name + ": " + error);
      for (int line = 0; line < Math.min(6, error.getStackTrace().length); line++) {
        System.out.println("      at " + error.getStackTrace()[line]);
      }
    }
  }

  static void expect(boolean holds, String what) {
    if (!holds) throw new AssertionError(what);
  }

  static void expectEqual(Object actual, Object expected) {
    if (!expected.equals(actual)) throw new AssertionError("expected " + expected + ", got " + actual);
  }

  interface Condition {
    boolean holds() throws Exception;
  }

  /** For what becomes so by itself, and of which nothing tells. */
  static void untilTrue(String what, Condition condition) throws Exception {
    long deadline = System.currentTimeMillis() + 60_000;
    while (!condition.holds()) {
      expect(System.currentTimeMillis() < deadline, "not in time: " + what);
      Thread.sleep(100);
    }
  }

  /** The future fails with this cause. */
  static void expectFailure(Future<?> future, Class<? extends Throwable> type) throws Exception {
    try {
      future.get();
    } catch (ExecutionException failure) {
      if (type.isInstance(failure.getCause())) return;
      throw new AssertionError("expected " + type.getSimpleName() + ", got " + failure.getCause());
    }
    throw new AssertionError("expected " + type.getSimpleName() + ", but it succeeded");
  }

  static Properties plain() {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", bootstrap);
    return properties;
  }

  static Properties with(Properties base, String... pairs) {
    Properties properties = new Properties();
    properties.putAll(base);
    for (int at = 0; at < pairs.length; at += 2) properties.put(pairs[at], pairs[at + 1]);
    return properties;
  }

  static KafkaProducer<String, String> producer(Properties base, String... pairs) {
    return new KafkaProducer<>(with(base, pairs), new StringSerializer(), new StringSerializer());
  }

  static List<ConsumerRecord<String, String>> readAll(Properties base, String topic, String... pairs) {
    List<ConsumerRecord<String, String>> records = new ArrayList<>();
    Properties properties = with(base, pairs);
    try (var consumer = new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer())) {
      Collection<TopicPartition> partitions =
          consumer.partitionsFor(topic).stream()
              .map(info -> new TopicPartition(topic, info.partition()))
              .collect(Collectors.toList());
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      long deadline = System.currentTimeMillis() + 60_000;
      while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
        expect(System.currentTimeMillis() < deadline, "not read to the end in time");
        consumer.poll(Duration.ofMillis(200)).forEach(records::add);
      }
    }
    return records;
  }

  static void create(String topic, int partitions) throws Exception {
    try (Admin admin = Admin.create(plain())) {
      admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 3))).all().get();
    }
  }

  static void roundTrip(Properties base, String topic, String codec) throws Exception {
    create(topic, 1);
    List<String> values = new ArrayList<>();
    try (var producer = producer(base, "acks", "all", "compression.type", codec, "linger.ms", "5")) {
      List<Future<RecordMetadata>> sent = new ArrayList<>();
      for (int number = 0; number < 5000; number++) {
        values.add("value " + number + " " + "x".repeat(number % 200));
        sent.add(producer.send(new ProducerRecord<>(topic, "key " + number, values.get(number))));
      }
      for (int number = 0; number < sent.size(); number++) {
        expectEqual(sent.get(number).get().offset(), (long) number);
      }
    }
    expectEqual(readAll(base, topic).stream().map(ConsumerRecord::value).collect(Collectors.toList()), values);
  }

  static void richRecords() throws Exception {
    create("java-rich", 1);
    long timestamp = System.currentTimeMillis() - 5000;
    try (var producer = producer(plain())) {
      var record = new ProducerRecord<>("java-rich", 0, timestamp, "key", (String) null);
      record.headers().add(new RecordHeader("name", "välue".getBytes(StandardCharsets.UTF_8)));
      record.headers().add(new RecordHeader("name", null));
      producer.send(record).get();
      producer.send(new ProducerRecord<>("java-rich", (String) null, "")).get();
    }
    var records = readAll(plain(), "java-rich");
    expectEqual(records.size(), 2);
    expectEqual(records.get(0).timestamp(), timestamp);
    expect(records.get(0).value() == null && records.get(1).key() == null, "nulls stay nulls");
    expectEqual(records.get(1).value(), "");
    var headers = records.get(0).headers().toArray();
    expectEqual(headers.length, 2);
    expectEqual(new String(headers[0].value(), StandardCharsets.UTF_8), "välue");
    expect(headers[1].value() == null, "a null header stays null");
    expectEqual(records.get(0).leaderEpoch().isPresent(), true);
  }

  static void wrongSecret() throws Exception {
    String jaas = secure.getProperty("sasl.jaas.config").replaceAll("password=\"[^\"]*\"", "password=\"wrong\"");
    try (Admin admin = Admin.create(with(secure, "sasl.jaas.config", jaas))) {
      expectFailure(admin.listTopics().names(), SaslAuthenticationException.class);
    }
  }

  static void manyPartitions() throws Exception {
    create("java-wide", 30);
    Set<String> values = new HashSet<>();
    try (var producer = producer(plain(), "acks", "all", "linger.ms", "5")) {
      List<Future<RecordMetadata>> sent = new ArrayList<>();
      for (int number = 0; number < 6000; number++) {
        values.add("value " + number);
        sent.add(producer.send(new ProducerRecord<>("java-wide", number % 30, null, "value " + number)));
      }
      for (var future : sent) future.get();
    }
    var read = readAll(plain(), "java-wide").stream().map(ConsumerRecord::value).collect(Collectors.toList());
    expectEqual(read.size(), 6000);
    expectEqual(new HashSet<>(read), values);
  }

  static void offsets() throws Exception {
    create("java-offsets", 1);
    TopicPartition partition = new TopicPartition("java-offsets", 0);
    long now = System.currentTimeMillis();
    try (var producer = producer(plain())) {
      long[] timestamps = {now - 3000, now - 1000, now - 2000};
      for (long timestamp : timestamps) {
        producer.send(new ProducerRecord<>("java-offsets", 0, timestamp, null, "value")).get();
      }
    }
    try (Admin admin = Admin.create(plain())) {
      Map<OffsetSpec, Long> expected = new HashMap<>();
      expected.put(OffsetSpec.earliest(), 0L);
      expected.put(OffsetSpec.latest(), 3L);
      expected.put(OffsetSpec.forTimestamp(now - 1500), 1L);
      expected.put(OffsetSpec.forTimestamp(now + 5000), -1L);
      expected.put(OffsetSpec.maxTimestamp(), 1L);
      for (var entry : expected.entrySet()) {
        var result = admin.listOffsets(Map.of(partition, entry.getKey())).all().get().get(partition);
        expectEqual(result.offset(), entry.getValue());
      }
    }
    try (var consumer = new KafkaConsumer<>(plain(), new StringDeserializer(), new StringDeserializer())) {
      expectEqual(consumer.offsetsForTimes(Map.of(partition, now - 2500)).get(partition).offset(), 1L);
      expectEqual(consumer.beginningOffsets(List.of(partition)).get(partition), 0L);
    }
  }

  static void topics() throws Exception {
    try (Admin admin = Admin.create(plain())) {
      var created = admin.createTopics(List.of(new NewTopic("java-topic", 2, (short) 3).configs(Map.of("retention.ms", "1000000"))));
      expectEqual(created.numPartitions("java-topic").get(), 2);
      expectEqual(created.config("java-topic").get().get("retention.ms").value(), "1000000");
      var id = created.topicId("java-topic").get();
      expectEqual(admin.describeTopics(List.of("java-topic")).allTopicNames().get().get("java-topic").topicId(), id);
      admin.createPartitions(Map.of("java-topic", NewPartitions.increaseTo(5))).all().get();
      var described = admin.describeTopics(List.of("java-topic")).allTopicNames().get().get("java-topic");
      expectEqual(described.partitions().size(), 5);
      // A broker that stands still for a moment is not counted meanwhile.
      untilTrue("full strength", () -> admin.describeTopics(List.of("java-topic")).allTopicNames().get().get("java-topic")
          .partitions().stream().allMatch(each -> each.isr().size() == 3 && each.leader() != null));
      admin.deleteTopics(List.of("java-topic")).all().get();
      expect(!admin.listTopics().names().get().contains("java-topic"), "the topic is gone");
    }
  }

  static void topicErrors() throws Exception {
    create("java-errors", 1);
    try (Admin admin = Admin.create(plain())) {
      expectFailure(admin.createTopics(List.of(new NewTopic("java-errors", 1, (short) 3))).all(), TopicExistsException.class);
      expectFailure(admin.createTopics(List.of(new NewTopic("not valid!", 1, (short) 3))).all(), InvalidTopicException.class);
      expectFailure(admin.createTopics(List.of(new NewTopic("java-nine", 1, (short) 9))).all(), InvalidReplicationFactorException.class);
      var unknown = new NewTopic("java-unknown", 1, (short) 3).configs(Map.of("no.such.config", "1"));
      expectFailure(admin.createTopics(List.of(unknown)).all(), InvalidConfigurationException.class);
      expectFailure(
          admin.deleteTopics(List.of("java-absent")).all(),
          org.apache.kafka.common.errors.UnknownTopicOrPartitionException.class);
    }
  }

  static void configs() throws Exception {
    create("java-configs", 1);
    ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, "java-configs");
    ConfigResource cell = new ConfigResource(ConfigResource.Type.BROKER, "1");
    try (Admin admin = Admin.create(plain())) {
      var set = new AlterConfigOp(new ConfigEntry("max.message.bytes", "5000"), AlterConfigOp.OpType.SET);
      admin.incrementalAlterConfigs(Map.of(topic, List.of(set))).all().get();
      var described = admin.describeConfigs(List.of(topic, cell)).all().get();
      expectEqual(described.get(topic).get("max.message.bytes").value(), "5000");
      expectEqual(described.get(topic).get("max.message.bytes").source(), ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG);
      expectEqual(described.get(topic).get("cleanup.policy").value(), "delete");
      expectEqual(described.get(cell).get("num.partitions").value(), "3");
      var delete = new AlterConfigOp(new ConfigEntry("max.message.bytes", ""), AlterConfigOp.OpType.DELETE);
      admin.incrementalAlterConfigs(Map.of(topic, List.of(delete))).all().get();
      var after = admin.describeConfigs(List.of(topic)).all().get().get(topic).get("max.message.bytes");
      expectEqual(after.source(), ConfigEntry.ConfigSource.DEFAULT_CONFIG);
      var wrong = new AlterConfigOp(new ConfigEntry("retention.ms", "soon"), AlterConfigOp.OpType.SET);
      expectFailure(admin.incrementalAlterConfigs(Map.of(topic, List.of(wrong))).all(), InvalidConfigurationException.class);
    }
  }

  static void deleteRecords() throws Exception {
    create("java-delete", 1);
    TopicPartition partition = new TopicPartition("java-delete", 0);
    try (var producer = producer(plain()); Admin admin = Admin.create(plain())) {
      for (int number = 0; number < 10; number++) producer.send(new ProducerRecord<>("java-delete", "value " + number)).get();
      var deleted = admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(6)));
      expectEqual(deleted.lowWatermarks().get(partition).get().lowWatermark(), 6L);
      expectEqual(readAll(plain(), "java-delete").get(0).offset(), 6L);
    }
  }

  static void describeCluster() throws Exception {
    try (Admin admin = Admin.create(plain())) {
      // As above.
      untilTrue("three nodes", () -> admin.describeCluster().nodes().get().size() == 3);
      var cluster = admin.describeCluster();
      expect(cluster.controller().get() != null, "there is a controller");
      expect(!cluster.clusterId().get().isEmpty(), "there is an id");
    }
  }

  static void tooLarge() throws Exception {
    create("java-large", 1);
    ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, "java-large");
    try (Admin admin = Admin.create(plain()); var producer = producer(plain())) {
      var set = new AlterConfigOp(new ConfigEntry("max.message.bytes", "2000"), AlterConfigOp.OpType.SET);
      admin.incrementalAlterConfigs(Map.of(topic, List.of(set))).all().get();
      // The leader hears of it a moment later.
      untilTrue("it is refused", () -> {
        try {
          producer.send(new ProducerRecord<>("java-large", "x".repeat(10_000))).get();
          return false;
        } catch (ExecutionException failure) {
          if (failure.getCause() instanceof RecordTooLargeException) return true;
          throw failure;
        }
      });
      producer.send(new ProducerRecord<>("java-large", "small")).get();
    }
  }

  static void readCommitted() throws Exception {
    create("java-committed", 1);
    try (var producer = producer(plain())) {
      producer.send(new ProducerRecord<>("java-committed", "value")).get();
    }
    expectEqual(readAll(plain(), "java-committed", "isolation.level", "read_committed").size(), 1);
  }
}
