import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.RetriableCommitFailedException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.StringDeserializer;

/** A consumer with a thread of its own that processes records and commits them; what it does goes into the group's ledger. */
class GroupMember implements ConsumerRebalanceListener, AutoCloseable {
  /** What the members of one group did together. */
  static class Ledger {
    final Map<TopicPartition, Set<Long>> processed = new ConcurrentHashMap<>();
    final Map<TopicPartition, Long> committed = new ConcurrentHashMap<>();
    final List<Throwable> failures = java.util.Collections.synchronizedList(new ArrayList<>());

    int count() {
      return processed.values().stream().mapToInt(Set::size).sum();
    }

    long committedSum() {
      return committed.values().stream().mapToLong(Long::longValue).sum();
    }
  }

  final KafkaConsumer<String, String> consumer;
  final Ledger ledger;
  final boolean commitsAsync;
  final AtomicInteger rebalances = new AtomicInteger();
  final AtomicInteger revoked = new AtomicInteger();
  final AtomicInteger lost = new AtomicInteger();
  final Set<TopicPartition> held = ConcurrentHashMap.newKeySet();
  final Thread thread;
  volatile boolean ending = false;
  volatile Throwable ended;

  GroupMember(Properties base, String topic, Ledger ledger, String... pairs) {
    Properties properties = new Properties();
    properties.putAll(base);
    properties.put("auto.offset.reset", "earliest");
    properties.put("enable.auto.commit", "false");
    properties.put("session.timeout.ms", "2000");
    properties.put("heartbeat.interval.ms", "200");
    properties.put("default.api.timeout.ms", "20000");
    boolean async = false;
    for (int at = 0; at < pairs.length; at += 2) {
      if (pairs[at].equals("commit")) async = pairs[at + 1].equals("async");
      else properties.put(pairs[at], pairs[at + 1]);
    }
    this.commitsAsync = async;
    this.ledger = ledger;
    this.consumer = new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer());
    this.thread = new Thread(() -> run(topic));
    this.thread.setDaemon(true);
    this.thread.start();
  }

  private void run(String topic) {
    try (consumer) {
      consumer.subscribe(List.of(topic), this);
      while (!ending) {
        Map<TopicPartition, OffsetAndMetadata> next = new ConcurrentHashMap<>();
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
          TopicPartition partition = new TopicPartition(record.topic(), record.partition());
          ledger.processed.computeIfAbsent(partition, key -> ConcurrentHashMap.newKeySet()).add(record.offset());
          next.put(partition, new OffsetAndMetadata(record.offset() + 1, "by " + thread.getName()));
        }
        if (next.isEmpty()) continue;
        if (commitsAsync) consumer.commitAsync(next, (offsets, error) -> noteCommit(offsets, error));
        else commit(next);
      }
    } catch (WakeupException end) {
      // Told to end.
    } catch (Throwable error) {
      ended = error;
    }
  }

  private void commit(Map<TopicPartition, OffsetAndMetadata> next) {
    try {
      consumer.commitSync(next);
      noteCommit(next, null);
    } catch (RebalanceInProgressException | CommitFailedException error) {
      // Whoever has the partitions now reads the records again.
    }
  }

  private void noteCommit(Map<TopicPartition, OffsetAndMetadata> offsets, Exception error) {
    if (error == null) offsets.forEach((partition, next) -> ledger.committed.merge(partition, next.offset(), Math::max));
    else if (!(error instanceof RetriableCommitFailedException
        || error instanceof RebalanceInProgressException
        || error instanceof CommitFailedException)) ledger.failures.add(error);
  }

  @Override
  public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
    rebalances.incrementAndGet();
    held.addAll(partitions);
    for (TopicPartition partition : partitions) {
      // What a member committed, the next one begins with.
      long committed = ledger.committed.getOrDefault(partition, 0L);
      long position = consumer.position(partition);
      if (position < committed) ledger.failures.add(new AssertionError(partition + " begins at " + position + ", committed was " + committed));
    }
  }

  @Override
  public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
    revoked.addAndGet(partitions.size());
    held.removeAll(partitions);
    if (commitsAsync) {
      // What is under way is settled before the partitions are handed on.
      try {
        consumer.commitSync(Duration.ofSeconds(5));
      } catch (RebalanceInProgressException | CommitFailedException error) {
        // As above.
      }
    }
  }

  @Override
  public void onPartitionsLost(Collection<TopicPartition> partitions) {
    lost.addAndGet(partitions.size());
    held.removeAll(partitions);
  }

  /** Leaves the group, unless it is a static member. */
  @Override
  public void close() throws InterruptedException {
    ending = true;
    thread.join(30_000);
    if (thread.isAlive()) {
      consumer.wakeup();
      thread.join(10_000);
    }
    held.clear();
    if (ended != null) ledger.failures.add(ended);
  }
}
