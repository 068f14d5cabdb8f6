"""Consumer groups with confluent-kafka: `groups.py BOOTSTRAP LIBRDKAFKA_PROPERTIES PROJECT DATA`. Ends with `N passed, N failed`."""

import socket
import subprocess
import sys
import threading
import time

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka import ConsumerGroupState
from confluent_kafka.admin import AdminClient, NewTopic

from checks import run_checks

PARTITIONS = 6
SECONDS_MAX = 90
# Longer than any machine stands still: a member that is held for dead loses its partitions and reads records again, by right.
SESSION_MS = 30000
# Where a coordinator is killed a member may come back under another id, and the one that it had holds the group up for so long.
# Records that are read again do no harm there.
MORTAL_SESSION_MS = 8000
bootstrap, properties_file, project, data = sys.argv[1:5]
plain = {"bootstrap.servers": bootstrap, "log_level": 0}
with open(properties_file) as lines:
    secure = dict(line.strip().split("=", 1) for line in lines if "=" in line)
secure["log_level"] = 0

# What a member may be told while its group changes: whoever has the partition then commits, or reads the record again.
REBALANCING = (
    KafkaError.REBALANCE_IN_PROGRESS,
    KafkaError.ILLEGAL_GENERATION,
    KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError._NO_OFFSET,
    KafkaError._STATE,
    KafkaError._ASSIGNMENT_LOST,
)

# What a member may be told for a moment: a broker that came back just now may not know a topic that was made just now.
PASSING = (KafkaError._ALL_BROKERS_DOWN, KafkaError.UNKNOWN_TOPIC_OR_PART)


class Ledger:
    """What the members of one group did together."""

    def __init__(self):
        self.lock = threading.Lock()
        self.processed = {}
        self.committed = {}
        self.failures = []

    def count(self):
        with self.lock:
            return sum(len(offsets) for offsets in self.processed.values())

    def committed_sum(self):
        with self.lock:
            return sum(self.committed.values())

    def until(self, what, condition):
        deadline = time.monotonic() + SECONDS_MAX
        while not condition():
            assert not self.failures, self.failures
            assert time.monotonic() < deadline, f"not in time: {what}; processed {self.count()}"
            time.sleep(0.01)


class Member(threading.Thread):
    """A consumer that processes records and commits them."""

    def __init__(self, topic, ledger, base=plain, group=None, **settings):
        super().__init__(daemon=True)
        self.topic = topic
        self.ledger = ledger
        self.held = set()
        # Next offsets whose commit was refused while the group changed, by partition.
        self.refused = {}
        self.rebalances = 0
        self.revoked = 0
        self.ending = False
        self.error = None
        self.consumer = Consumer(
            {
                **base,
                "group.id": group or topic,
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "session.timeout.ms": SESSION_MS,
                "heartbeat.interval.ms": 200,
                "topic.metadata.refresh.interval.ms": 1000,
                **settings,
            }
        )
        self.consumer.subscribe([topic], on_assign=self.assigned, on_revoke=self.taken, on_lost=self.taken)
        self.start()

    def assigned(self, consumer, partitions):
        self.rebalances += 1
        self.held |= {each.partition for each in partitions}

    def taken(self, consumer, partitions):
        self.revoked += len(partitions)
        self.held -= {each.partition for each in partitions}
        for each in partitions:
            self.refused.pop(each.partition, None)

    def run(self):
        try:
            while not self.ending:
                for message in self.consumer.consume(50, 0.1):
                    if message.error() is None:
                        self.process(message)
                    elif not message.error().retriable() and message.error().code() not in PASSING:
                        raise KafkaException(message.error())
                # Of a partition that stayed nobody reads the records again.
                for partition, offset in list(self.refused.items()):
                    self.commit(partition, offset)
        except Exception as error:
            self.error = error
            print("a member ended:", error, flush=True)
        finally:
            self.consumer.close()
            self.held = set()

    def process(self, message):
        partition, offset = message.partition(), message.offset()
        with self.ledger.lock:
            self.ledger.processed.setdefault(partition, set()).add(offset)
        # One commit for a run of records is enough.
        if offset % 10 == 9:
            self.commit(partition, offset + 1)

    def commit(self, partition, offset):
        try:
            (done,) = self.consumer.commit(offsets=[TopicPartition(self.topic, partition, offset)], asynchronous=False)
            error = done.error
        except KafkaException as failure:
            error = failure.args[0]
        if error is None:
            self.refused.pop(partition, None)
            with self.ledger.lock:
                self.ledger.committed[partition] = max(offset, self.ledger.committed.get(partition, 0))
        elif error.code() in REBALANCING or error.retriable():
            self.refused[partition] = offset
        else:
            raise KafkaException(error)

    def end(self):
        """Leaves the group, unless it is a static member."""
        self.ending = True
        self.join(60)
        assert not self.is_alive(), "a member does not end"
        if self.error is not None:
            self.ledger.failures.append(self.error)


admins = []


def admin_of(base=plain):
    """Kept: a client that nobody holds ends before its answers come. A new one each time: librdkafka 2.16 may wait for ever
    for a broker that was away, if it was the coordinator once."""
    admins.append(AdminClient(base))
    return admins[-1]


def create(topic, base=plain):
    admin_of(base).create_topics([NewTopic(topic, PARTITIONS, 3)])[topic].result()


def produce(topic, each, base=plain):
    """As many records into every partition; tens of them, as the members commit."""
    failures = []
    producer = Producer({**base, "acks": "all", "enable.idempotence": True})
    for number in range(each):
        for partition in range(PARTITIONS):
            producer.produce(topic, f"value {number}", partition=partition, on_delivery=lambda error, _: error and failures.append(error))
    assert producer.flush(60) == 0 and not failures, failures


def share(*members):
    held = [each.held for each in members]
    least = PARTITIONS // len(members)
    return sum(map(len, held)) == PARTITIONS == len(set().union(*held)) and all(least <= len(each) <= least + 1 for each in held)


def expect_committed(topic, each, base=plain):
    (future,) = admin_of(base).list_consumer_group_offsets([ConsumerGroupTopicPartitions(topic)]).values()
    offsets = {found.partition: found.offset for found in future.result().topic_partitions}
    assert offsets == {partition: each for partition in range(PARTITIONS)}, offsets


def scale(assignor, base=plain):
    topic = f"rd-scale-{assignor}" + ("-secure" if base is secure else "")
    create(topic)
    ledger = Ledger()
    settings = {"base": base, "partition.assignment.strategy": assignor}
    members = [Member(topic, ledger, **settings)]
    try:
        ledger.until("the first has all", lambda: share(*members))
        produce(topic, 100)
        for _ in range(2):
            members.append(Member(topic, ledger, **settings))
            ledger.until("they share", lambda: share(*members))
        if assignor == "cooperative-sticky":
            assert members[0].revoked == 4, "what stays is not revoked"
        produce(topic, 100)
        ledger.until("all is committed", lambda: ledger.committed_sum() == 1200)
        for member in (members.pop(), members.pop()):
            member.end()
        ledger.until("the first has all again", lambda: share(*members))
        produce(topic, 10)
        ledger.until("all is committed", lambda: ledger.committed_sum() == 1260)
    finally:
        for member in members:
            member.end()
    assert ledger.count() == 1260 and not ledger.failures, ledger.failures
    expect_committed(topic, 210)


def static_members():
    topic = "rd-static"
    create(topic)
    ledger = Ledger()
    stays = Member(topic, ledger, **{"group.instance.id": "one"})
    goes = Member(topic, ledger, **{"group.instance.id": "two"})
    ledger.until("they share", lambda: share(stays, goes))
    before, rebalances = set(goes.held), stays.rebalances
    goes.end()
    produce(topic, 10)
    back = Member(topic, ledger, **{"group.instance.id": "two"})
    ledger.until("it has its partitions back", lambda: back.held == before)
    ledger.until("all is committed", lambda: ledger.committed_sum() == 60)
    assert stays.rebalances == rebalances
    fencing = Member(topic, Ledger(), **{"group.instance.id": "two"})
    ledger.until("the first holder has ended", lambda: back.error is not None)
    assert back.error.args[0].code() in (KafkaError.FENCED_INSTANCE_ID, KafkaError._FATAL), back.error
    fencing.end()
    stays.end()


def auto_commit():
    topic = "rd-auto"
    create(topic)
    produce(topic, 10)
    settings = {**plain, "group.id": topic, "auto.offset.reset": "earliest", "auto.commit.interval.ms": 50}
    for expected in (60, 0):
        consumer = Consumer({**settings, "enable.partition.eof": True})
        consumer.subscribe([topic])
        count, ends, deadline = 0, set(), time.monotonic() + SECONDS_MAX
        while len(ends) < PARTITIONS and time.monotonic() < deadline:
            for message in consumer.consume(100, 0.1):
                if message.error() is None:
                    count += 1
                elif message.error().code() == KafkaError._PARTITION_EOF:
                    ends.add(message.partition())
        consumer.close()
        assert count == expected, f"{count} records read"
    expect_committed(topic, 10)


def administration():
    topic = "rd-group-admin"
    create(topic)
    ledger = Ledger()
    admin = admin_of()
    member = Member(topic, ledger)
    ledger.until("it has all", lambda: share(member))
    listed = admin.list_consumer_groups(states={ConsumerGroupState.STABLE}).result()
    assert not listed.errors and topic in [group.group_id for group in listed.valid], listed
    description = admin.describe_consumer_groups([topic])[topic].result()
    assert description.state == ConsumerGroupState.STABLE and len(description.members) == 1
    assert len(description.members[0].assignment.topic_partitions) == PARTITIONS
    assert admin.delete_consumer_groups([topic])[topic].exception().args[0].code() == KafkaError.NON_EMPTY_GROUP
    member.end()
    wanted = [TopicPartition(topic, 1, 5)]
    (altered,) = admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(topic, wanted)]).values()
    altered.result()
    (found,) = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(topic)]).values()
    assert [(each.partition, each.offset) for each in found.result().topic_partitions] == [(1, 5)]
    admin.delete_consumer_groups([topic])[topic].result()
    assert topic not in [group.group_id for group in admin.list_consumer_groups().result().valid]


def broker(command, broker_id):
    subprocess.run(["node", f"{project}/local/broker-command.ts", command, str(broker_id), "--data", data], check=True)


def await_brokers():
    """A client of librdkafka 2.16 that begins while a broker is away may wait for it for ever."""
    deadline = time.monotonic() + SECONDS_MAX
    for address in bootstrap.split(","):
        host, port = address.rsplit(":", 1)
        while True:
            try:
                socket.create_connection((host, int(port)), 5).close()
                break
            except OSError:
                assert time.monotonic() < deadline, f"{address} does not come back"
                time.sleep(0.1)


def killed_coordinator(assignor):
    await_brokers()
    topic = f"rd-killed-{assignor}-{time.time()}"
    create(topic)
    ledger = Ledger()
    settings = {"partition.assignment.strategy": assignor, "session.timeout.ms": MORTAL_SESSION_MS}
    members = [Member(topic, ledger, **settings) for _ in range(3)]
    try:
        ledger.until("they share", lambda: share(*members))
        produce(topic, 50)
        broker("kill", admin_of().describe_consumer_groups([topic])[topic].result().coordinator.id)
        produce(topic, 50)
        ledger.until("all is committed", lambda: ledger.committed_sum() == 600)
        ledger.until("they share", lambda: share(*members))
        produce(topic, 50)
        ledger.until("all is committed again", lambda: ledger.committed_sum() == 900)
    finally:
        for member in members:
            member.end()
    assert ledger.count() == 900 and not ledger.failures, ledger.failures
    expect_committed(topic, 150)


checks = {
    **{f"one, two, three, one member, {assignor}": lambda assignor=assignor: scale(assignor) for assignor in ("range", "roundrobin", "cooperative-sticky")},
    "over SASL_SSL": lambda: scale("cooperative-sticky", secure),
    "static members": static_members,
    "auto commit": auto_commit,
    "groups by AdminClient": administration,
    "kill -9 of the coordinator's broker, range": lambda: killed_coordinator("range"),
    "kill -9 of the coordinator's broker, cooperative-sticky": lambda: killed_coordinator("cooperative-sticky"),
}

run_checks(checks, only=sys.argv[5] if len(sys.argv) > 5 else "")
