import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.admin.MemberToRemove;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.GroupNotEmptyException;
import org.apache.kafka.common.errors.GroupSubscribedToTopicException;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Consumer groups with Kafka's Java client: `GroupSuite BOOTSTRAP CLIENT_PROPERTIES PROJECT DATA`. */
class GroupSuite {
  static final int PARTITIONS = 6;
  static final String ASSIGNORS = "org.apache.kafka.clients.consumer.";
  static String project;
  static String data;

  public static void main(String[] args) throws Exception {
    ClientSuite.readArguments(args);
    project = args[2];
    data = args[3];
    for (String assignor : List.of("RangeAssignor", "RoundRobinAssignor", "StickyAssignor", "CooperativeStickyAssignor")) {
      ClientSuite.check("one, two, three, one member, " + assignor, () -> scale(assignor, ClientSuite.plain(), "sync"));
    }
    ClientSuite.check("asynchronous commits over SASL_SSL", () -> scale("CooperativeStickyAssignor", ClientSuite.secure, "async"));
    ClientSuite.check("a rolling change of assignors", GroupSuite::changeAssignors);
    ClientSuite.check("static members come back without a rebalance", GroupSuite::staticMembers);
    ClientSuite.check("a second holder of an instance id fences the first", GroupSuite::fencing);
    ClientSuite.check("a member that stops polling is taken out and comes back", GroupSuite::stopsPolling);
    ClientSuite.check("auto commit, and metadata of commits", GroupSuite::autoCommit);
    ClientSuite.check("groups by Admin: list, describe, offsets, delete", GroupSuite::administration);
    ClientSuite.check("Admin removes members", GroupSuite::removeMembers);
    ClientSuite.check("a simple consumer commits without being a member", GroupSuite::simpleConsumer);
    ClientSuite.check("subscription by pattern finds topics made later", GroupSuite::pattern);
    ClientSuite.check("the new protocol of groups is refused in a way that clients understand", GroupSuite::newProtocol);
    ClientSuite.check("kill -9 of the coordinator's broker", () -> fault("java-killed", List.of("kill"), List.of()));
    ClientSuite.check("a coordinator paused and resumed", () -> fault("java-paused", List.of("pause"), List.of("resume")));
    ClientSuite.finish();
  }

  static void until(String what, GroupMember.Ledger ledger, BooleanSupplier condition) throws Exception {
    long deadline = System.currentTimeMillis() + 90_000;
    while (!condition.getAsBoolean()) {
      if (!ledger.failures.isEmpty()) throw new AssertionError(what + ": " + ledger.failures, ledger.failures.get(0));
      ClientSuite.expect(System.currentTimeMillis() < deadline, "not in time: " + what + "; processed " + ledger.count());
      Thread.sleep(10);
    }
  }

  static void produce(KafkaProducer<String, String> producer, String topic, int count) throws Exception {
    List<java.util.concurrent.Future<RecordMetadata>> sent = new ArrayList<>();
    for (int number = 0; number < count; number++) {
      sent.add(producer.send(new ProducerRecord<>(topic, number % PARTITIONS, null, "value " + number)));
    }
    for (var future : sent) future.get(60, TimeUnit.SECONDS);
  }

  /** Each partition is held by exactly one, and nobody holds more than one beyond the others. */
  static boolean share(GroupMember... members) {
    Set<TopicPartition> all = new HashSet<>();
    int count = 0;
    for (GroupMember member : members) {
      all.addAll(member.held);
      count += member.held.size();
      int least = PARTITIONS / members.length;
      if (member.held.size() < least || member.held.size() > least + 1) return false;
    }
    return count == PARTITIONS && all.size() == PARTITIONS;
  }

  static void scale(String assignor, Properties base, String commits) throws Exception {
    String topic = "scale-" + assignor + "-" + commits;
    ClientSuite.create(topic, PARTITIONS);
    var ledger = new GroupMember.Ledger();
    String[] settings = {"group.id", topic, "partition.assignment.strategy", ASSIGNORS + assignor, "commit", commits};
    try (var producer = ClientSuite.producer(base, "acks", "all")) {
      try (var first = new GroupMember(base, topic, ledger, settings)) {
        until("the first has all", ledger, () -> share(first));
        produce(producer, topic, 600);
        try (var second = new GroupMember(base, topic, ledger, settings)) {
          until("two share", ledger, () -> share(first, second));
          // Cooperative members keep what stays theirs (KIP-429).
          if (assignor.startsWith("Cooperative")) ClientSuite.expectEqual(first.revoked.get(), 3);
          try (var third = new GroupMember(base, topic, ledger, settings)) {
            until("three share", ledger, () -> share(first, second, third));
            produce(producer, topic, 600);
            until("all is processed", ledger, () -> ledger.count() == 1200);
          }
        }
        until("the first has all again", ledger, () -> share(first));
        produce(producer, topic, 600);
        until("all is committed", ledger, () -> ledger.committedSum() == 1800);
      }
      expectCommitted(topic, topic, 300);
      produce(producer, topic, 60);
      try (var successor = new GroupMember(base, topic, ledger, settings)) {
        until("all is committed again", ledger, () -> ledger.committedSum() == 1860);
      }
    }
    expectComplete(ledger, 1860);
  }

  static void expectComplete(GroupMember.Ledger ledger, int count) {
    ClientSuite.expect(ledger.failures.isEmpty(), "failures: " + ledger.failures);
    ClientSuite.expectEqual(ledger.count(), count);
  }

  static void expectCommitted(String group, String topic, long each) throws Exception {
    try (Admin admin = Admin.create(ClientSuite.plain())) {
      var offsets = admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
      for (int partition = 0; partition < PARTITIONS; partition++) {
        ClientSuite.expectEqual(offsets.get(new TopicPartition(topic, partition)).offset(), each);
      }
    }
  }

  /** Two members of the old assignor, each replaced by one of both and then by one of the new (KIP-429's way). */
  static void changeAssignors() throws Exception {
    String topic = "java-change";
    ClientSuite.create(topic, PARTITIONS);
    var ledger = new GroupMember.Ledger();
    String old = ASSIGNORS + "RangeAssignor";
    String newer = ASSIGNORS + "CooperativeStickyAssignor";
    List<GroupMember> members = new ArrayList<>();
    try (var producer = ClientSuite.producer(ClientSuite.plain(), "acks", "all")) {
      for (String strategy : List.of(old, newer + "," + old, newer)) {
        for (int place = 0; place < 2; place++) {
          if (members.size() == 2) members.remove(0).close();
          String[] settings = {"group.id", topic, "partition.assignment.strategy", strategy};
          members.add(new GroupMember(ClientSuite.plain(), topic, ledger, settings));
          GroupMember[] present = members.toArray(GroupMember[]::new);
          until("they share under " + strategy, ledger, () -> share(present));
        }
        produce(producer, topic, 60);
      }
      until("all is committed", ledger, () -> ledger.committedSum() == 180);
    } finally {
      for (GroupMember member : members) member.close();
    }
    expectComplete(ledger, 180);
  }

  static void staticMembers() throws Exception {
    String topic = "java-static";
    ClientSuite.create(topic, PARTITIONS);
    var ledger = new GroupMember.Ledger();
    Properties base = ClientSuite.with(ClientSuite.plain(), "group.id", topic);
    String[] one = {"group.instance.id", "one"};
    String[] two = {"group.instance.id", "two"};
    try (var producer = ClientSuite.producer(ClientSuite.plain(), "acks", "all");
        var stays = new GroupMember(base, topic, ledger, one)) {
      var goes = new GroupMember(base, topic, ledger, two);
      until("they share", ledger, () -> share(stays, goes));
      Set<TopicPartition> before = new HashSet<>(goes.held);
      int rebalances = stays.rebalances.get();
      goes.close();
      produce(producer, topic, 60);
      try (var back = new GroupMember(base, topic, ledger, two)) {
        until("it has its partitions back", ledger, () -> back.held.equals(before));
        until("all is committed", ledger, () -> ledger.committedSum() == 60);
        ClientSuite.expectEqual(stays.rebalances.get(), rebalances);
      }
    }
    expectComplete(ledger, 60);
  }

  static void fencing() throws Exception {
    String topic = "java-fenced";
    ClientSuite.create(topic, PARTITIONS);
    var ledger = new GroupMember.Ledger();
    var others = new GroupMember.Ledger();
    Properties base = ClientSuite.with(ClientSuite.plain(), "group.id", topic, "group.instance.id", "the-one");
    var first = new GroupMember(base, topic, ledger);
    until("the first has all", ledger, () -> share(first));
    try (var second = new GroupMember(base, topic, others)) {
      until("the second has all", others, () -> share(second));
      until("the first has ended", ledger, () -> first.ended != null);
      ClientSuite.expect(first.ended instanceof FencedInstanceIdException, "it ended with " + first.ended);
    }
  }

  static void stopsPolling() throws Exception {
    String topic = "java-stuck";
    ClientSuite.create(topic, PARTITIONS);
    var ledger = new GroupMember.Ledger();
    Properties base = ClientSuite.with(ClientSuite.plain(), "group.id", topic);
    Properties stuck = ClientSuite.with(base, "max.poll.interval.ms", "1500", "session.timeout.ms", "1400",
        "heartbeat.interval.ms", "200", "enable.auto.commit", "false", "auto.offset.reset", "earliest");
    try (var consumer = new KafkaConsumer<>(stuck, new StringDeserializer(), new StringDeserializer());
        var producer = ClientSuite.producer(ClientSuite.plain(), "acks", "all")) {
      consumer.subscribe(List.of(topic));
      until("it has all", ledger, () -> {
        consumer.poll(Duration.ofMillis(100));
        return consumer.assignment().size() == PARTITIONS;
      });
      try (var other = new GroupMember(base, topic, ledger)) {
        until("the other has all, though it does not poll", ledger, () -> share(other));
        produce(producer, topic, 60);
        until("the other has processed all", ledger, () -> ledger.committedSum() == 60);
        until("it is back", ledger, () -> {
          consumer.poll(Duration.ofMillis(100));
          return consumer.assignment().size() == 3;
        });
      }
    }
    expectComplete(ledger, 60);
  }

  static void autoCommit() throws Exception {
    String topic = "java-auto";
    ClientSuite.create(topic, 1);
    TopicPartition partition = new TopicPartition(topic, 0);
    Properties settings = ClientSuite.with(ClientSuite.plain(), "group.id", topic, "auto.commit.interval.ms", "50",
        "auto.offset.reset", "earliest");
    try (var producer = ClientSuite.producer(ClientSuite.plain(), "acks", "all")) {
      for (int number = 0; number < 10; number++) producer.send(new ProducerRecord<>(topic, "value " + number)).get();
    }
    try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
      consumer.subscribe(List.of(topic));
      int count = 0;
      long deadline = System.currentTimeMillis() + 60_000;
      while (count < 10 && System.currentTimeMillis() < deadline) count += consumer.poll(Duration.ofMillis(100)).count();
      ClientSuite.expectEqual(count, 10);
    }
    try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
      ClientSuite.expectEqual(consumer.committed(Set.of(partition)).get(partition).offset(), 10L);
      consumer.assign(List.of(partition));
      consumer.commitSync(Map.of(partition, new OffsetAndMetadata(4, "a note: ü")));
      ClientSuite.expectEqual(consumer.committed(Set.of(partition)).get(partition), new OffsetAndMetadata(4, "a note: ü"));
      ClientSuite.expectEqual(consumer.position(partition), 4L);
    }
  }

  static void administration() throws Exception {
    String topic = "java-group-admin";
    String group = "java group/admin ü";
    ClientSuite.create(topic, PARTITIONS);
    var ledger = new GroupMember.Ledger();
    Map<TopicPartition, OffsetAndMetadata> offsets = Map.of(new TopicPartition(topic, 2), new OffsetAndMetadata(7, "set"));
    try (Admin admin = Admin.create(ClientSuite.plain())) {
      try (var member = new GroupMember(ClientSuite.with(ClientSuite.plain(), "group.id", group, "client.id", "me"), topic, ledger)) {
        until("it has all", ledger, () -> share(member));
        ClientSuite.expect(listed(admin, GroupState.STABLE).contains(group), "it is listed as stable");
        ClientSuite.expect(!listed(admin, GroupState.EMPTY).contains(group), "it is not listed as empty");
        var described = admin.describeConsumerGroups(List.of(group)).all().get().get(group);
        ClientSuite.expectEqual(described.groupState(), GroupState.STABLE);
        ClientSuite.expectEqual(described.partitionAssignor(), "range");
        ClientSuite.expectEqual(described.members().size(), 1);
        var only = described.members().iterator().next();
        ClientSuite.expectEqual(only.clientId(), "me");
        ClientSuite.expectEqual(only.host(), "/127.0.0.1");
        ClientSuite.expectEqual(only.assignment().topicPartitions().size(), PARTITIONS);
        ClientSuite.expect(described.coordinator().id() > 0, "it has a coordinator");
        ClientSuite.expectFailure(admin.deleteConsumerGroups(List.of(group)).all(), GroupNotEmptyException.class);
        ClientSuite.expectFailure(
            admin.deleteConsumerGroupOffsets(group, offsets.keySet()).all(), GroupSubscribedToTopicException.class);
        ClientSuite.expectFailure(
            admin.alterConsumerGroupOffsets(group, offsets).all(), org.apache.kafka.common.errors.UnknownMemberIdException.class);
      }
      ClientSuite.expect(listed(admin, GroupState.EMPTY).contains(group), "it is listed as empty");
      admin.alterConsumerGroupOffsets(group, offsets).all().get();
      ClientSuite.expectEqual(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get(), offsets);
      admin.deleteConsumerGroupOffsets(group, offsets.keySet()).all().get();
      ClientSuite.expectEqual(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get(), Map.of());
      admin.alterConsumerGroupOffsets(group, offsets).all().get();
      admin.deleteConsumerGroups(List.of(group)).all().get();
      ClientSuite.expect(!listed(admin).contains(group), "it is gone");
      ClientSuite.expectFailure(admin.deleteConsumerGroups(List.of(group)).all(), GroupIdNotFoundException.class);
      ClientSuite.expectFailure(admin.describeConsumerGroups(List.of(group)).all(), GroupIdNotFoundException.class);
      ClientSuite.expectEqual(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get(), Map.of());
    }
  }

  static Collection<String> listed(Admin admin, GroupState... states) throws Exception {
    var options = new ListGroupsOptions().inGroupStates(Set.of(states));
    return admin.listGroups(options).all().get().stream().map(GroupListing::groupId).collect(Collectors.toList());
  }

  static void removeMembers() throws Exception {
    String topic = "java-remove";
    ClientSuite.create(topic, PARTITIONS);
    var ledger = new GroupMember.Ledger();
    Properties base = ClientSuite.with(ClientSuite.plain(), "group.id", topic);
    try (Admin admin = Admin.create(ClientSuite.plain())) {
      var first = new GroupMember(base, topic, ledger, "group.instance.id", "first", "session.timeout.ms", "60000");
      var second = new GroupMember(base, topic, ledger, "group.instance.id", "second", "session.timeout.ms", "60000");
      until("they share", ledger, () -> share(first, second));
      second.close();
      var one = new RemoveMembersFromConsumerGroupOptions(List.of(new MemberToRemove("second")));
      admin.removeMembersFromConsumerGroup(topic, one).all().get();
      until("the first has all", ledger, () -> share(first));
      first.close();
      admin.removeMembersFromConsumerGroup(topic, new RemoveMembersFromConsumerGroupOptions()).all().get();
      admin.deleteConsumerGroups(List.of(topic)).all().get();
    }
    expectComplete(ledger, 0);
  }

  static void simpleConsumer() throws Exception {
    ClientSuite.create("java-simple", 2);
    TopicPartition partition = new TopicPartition("java-simple", 1);
    Properties settings = ClientSuite.with(ClientSuite.plain(), "group.id", "java-simple", "enable.auto.commit", "false");
    try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
      consumer.assign(List.of(partition));
      consumer.commitSync(Map.of(partition, new OffsetAndMetadata(0)));
      ClientSuite.expectEqual(consumer.committed(Set.of(partition)).get(partition).offset(), 0L);
    }
    try (Admin admin = Admin.create(ClientSuite.plain())) {
      ClientSuite.expect(listed(admin).contains("java-simple"), "it is listed");
      admin.deleteConsumerGroups(List.of("java-simple")).all().get();
    }
  }

  /** Without auto commit, in which the client waits for a deleted topic to come back, with every broker. */
  static void pattern() throws Exception {
    Properties settings = ClientSuite.with(ClientSuite.plain(), "group.id", "java-pattern", "metadata.max.age.ms", "500",
        "enable.auto.commit", "false", "auto.offset.reset", "earliest");
    ClientSuite.create("java-pattern-1", 1);
    try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
      consumer.subscribe(java.util.regex.Pattern.compile("java-pattern-.*"));
      Set<TopicPartition> wanted = new HashSet<>(Set.of(new TopicPartition("java-pattern-1", 0)));
      var ledger = new GroupMember.Ledger();
      BooleanSupplier hasThem = () -> {
        consumer.poll(Duration.ofMillis(100));
        return consumer.assignment().equals(wanted);
      };
      until("it has the first topic", ledger, hasThem);
      ClientSuite.create("java-pattern-2", 1);
      wanted.add(new TopicPartition("java-pattern-2", 0));
      until("it has the second topic too", ledger, hasThem);
      try (Admin admin = Admin.create(ClientSuite.plain())) {
        admin.deleteTopics(List.of("java-pattern-1")).all().get();
      }
      wanted.remove(new TopicPartition("java-pattern-1", 0));
      until("the first is gone", ledger, hasThem);
    }
  }

  static void newProtocol() throws Exception {
    Properties settings = ClientSuite.with(ClientSuite.plain(), "group.id", "java-new", "group.protocol", "consumer");
    try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
      consumer.subscribe(List.of("java-auto"));
      long deadline = System.currentTimeMillis() + 60_000;
      while (System.currentTimeMillis() < deadline) consumer.poll(Duration.ofMillis(100));
      throw new AssertionError("nothing was said");
    } catch (UnsupportedVersionException expected) {
      // As with a Kafka before 4.0.
    }
  }

  static void brokerCommand(String command, int id) throws Exception {
    var process = new ProcessBuilder("node", project + "/local/broker-command.ts", command, String.valueOf(id), "--data", data)
        .inheritIO().start();
    ClientSuite.expectEqual(process.waitFor(), 0);
  }

  /** Three members at work; something happens to their coordinator, twice. */
  static void fault(String topic, List<String> begins, List<String> ends) throws Exception {
    ClientSuite.create(topic, PARTITIONS);
    var ledger = new GroupMember.Ledger();
    // A paused broker answers nothing, and clients wait for as long as that before they look for another one.
    // A member that comes back under another id than it had holds the group up for a session.
    String[] settings = {"group.id", topic, "partition.assignment.strategy", ASSIGNORS + "CooperativeStickyAssignor",
        "request.timeout.ms", "3000", "session.timeout.ms", "8000"};
    try (var producer = ClientSuite.producer(ClientSuite.plain(), "acks", "all", "request.timeout.ms", "3000");
        var first = new GroupMember(ClientSuite.plain(), topic, ledger, settings);
        var second = new GroupMember(ClientSuite.plain(), topic, ledger, settings);
        var third = new GroupMember(ClientSuite.plain(), topic, ledger, settings);
        Admin admin = Admin.create(ClientSuite.plain())) {
      until("they share", ledger, () -> share(first, second, third));
      produce(producer, topic, 300);
      int coordinator = admin.describeConsumerGroups(List.of(topic)).all().get().get(topic).coordinator().id();
      for (String command : begins) brokerCommand(command, coordinator);
      produce(producer, topic, 300);
      until("all is committed", ledger, () -> ledger.committedSum() == 600);
      for (String command : ends) brokerCommand(command, coordinator);
      produce(producer, topic, 300);
      until("all is committed again", ledger, () -> ledger.committedSum() == 900);
      until("they share again", ledger, () -> share(first, second, third));
      expectCommitted(topic, topic, 150);
      ClientSuite.expect(listed(admin).contains(topic), "it is listed");
    }
    expectComplete(ledger, 900);
  }
}
