import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
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
  /** What is to be committed of the partitions that it holds; only its own thread touches these two. */
  final Map<TopicPartition, OffsetAndMetadata> pending = new HashMap<>();
  /** How far it has processed them. */
  final Map<TopicPartition, OffsetAndMetadata> reached = new HashMap<>();
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
    // Longer than any machine stands still: who is held for dead loses what it has, and reads records again, by right.
    properties.put("session.timeout.ms", "30000");
    properties.put("heartbeat.interval.ms", "200");
    properties.put("default.api.timeout.ms", "40000");
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
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
          TopicPartition partition = new TopicPartition(record.topic(), record.partition());
          ledger.processed.computeIfAbsent(partition, key -> ConcurrentHashMap.newKeySet()).add(record.offset());
          reached.put(partition, new OffsetAndMetadata(record.offset() + 1, "by " + thread.getName()));
          pending.put(partition, reached.get(partition));
        }
        if (pending.isEmpty()) continue;
        Map<TopicPartition, OffsetAndMetadata> next = new HashMap<>(pending);
        pending.clear();
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
      noteCommit(next, error);
    }
  }

  private void noteCommit(Map<TopicPartition, OffsetAndMetadata> offsets, Exception error) {
    if (error == null) offsets.forEach((partition, next) -> ledger.committed.merge(partition, next.offset(), Math::max));
    else if (error instanceof RetriableCommitFailedException
        || error instanceof RebalanceInProgressException
        || error instanceof CommitFailedException) {
      // Partitions that stay are committed later; of the others whoever has them then reads the records again.
      for (TopicPartition partition : offsets.keySet()) {
        if (reached.containsKey(partition)) pending.put(partition, reached.get(partition));
      }
    } else ledger.failures.add(error);
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
    pending.keySet().removeAll(partitions);
    reached.keySet().removeAll(partitions);
    if (commitsAsync) {
      // What is under way is settled before the partitions are handed on.
      try {
        consumer.commitSync(Duration.ofSeconds(30));
      } catch (RebalanceInProgressException | CommitFailedException error) {
        // As above.
      }
    }
  }

  @Override
  public void onPartitionsLost(Collection<TopicPartition> partitions) {
    lost.addAndGet(partitions.size());
    held.removeAll(partitions);
    pending.keySet().removeAll(partitions);
    reached.keySet().removeAll(partitions);
  }

  /** Leaves the group, unless it is a static member. */
  @Override
  public void close() throws InterruptedException {
    ending = true;
    thread.join(60_000);
    if (thread.isAlive()) {
      consumer.wakeup();
      thread.join(10_000);
    }
    held.clear();
    if (ended != null) ledger.failures.add(ended);
  }
}
