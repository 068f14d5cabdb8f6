"""confluent-kafka (librdkafka) without groups: `suite.py BOOTSTRAP LIBRDKAFKA_PROPERTIES`. Ends with `N passed, N failed`."""

import sys
import time

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigEntry, AlterConfigOpType, ConfigResource, NewPartitions, NewTopic

from checks import run_checks

READ_SECONDS_MAX = 60
bootstrap, properties_file = sys.argv[1:3]
plain = {"bootstrap.servers": bootstrap, "log_level": 0}
with open(properties_file) as lines:
    secure = dict(line.strip().split("=", 1) for line in lines if "=" in line)
secure["log_level"] = 0


def create(topic, partitions=1, base=plain):
    admin = AdminClient(base)
    admin.create_topics([NewTopic(topic, partitions, 3)])[topic].result()
    return admin


def produce(base, topic, values, **settings):
    """Sends and waits; returns the offsets by value."""
    offsets = {}
    errors = []

    def delivered(error, message):
        if error is not None:
            errors.append(error)
        else:
            offsets[message.value().decode()] = (message.partition(), message.offset())

    # Idempotent: else a record is there twice when its acknowledgement was lost with a leader.
    producer = Producer({**base, "acks": "all", "enable.idempotence": True, **settings})
    for value in values:
        producer.produce(topic, value, on_delivery=delivered)
        producer.poll(0)
    assert producer.flush(60) == 0, "not everything was delivered in time"
    assert not errors, errors[0]
    return offsets


def read_all(base, topic, partitions):
    consumer = Consumer({**base, "group.id": "unused", "enable.auto.commit": False, "enable.partition.eof": True})
    consumer.assign([TopicPartition(topic, partition, 0) for partition in range(partitions)])
    values, ends, deadline = [], set(), time.monotonic() + READ_SECONDS_MAX
    while len(ends) < partitions:
        assert time.monotonic() < deadline, "not read to the end in time"
        message = consumer.poll(0.2)
        if message is None:
            continue
        if message.error() is None:
            values.append(message.value().decode())
        elif message.error().code() == KafkaError._PARTITION_EOF:
            ends.add(message.partition())
        else:
            raise KafkaException(message.error())
    consumer.close()
    return values


def round_trip(base, topic, **settings):
    create(topic, base=base)
    values = [f"value {number} " + "x" * (number % 100) for number in range(5000)]
    offsets = produce(base, topic, values, **settings)
    assert [offsets[value][1] for value in values] == list(range(len(values))), "offsets go up by one"
    assert read_all(base, topic, 1) == values


def round_trip_not_idempotent():
    create("rd-not-idempotent")
    values = [f"value {number}" for number in range(5000)]
    offsets = produce(plain, "rd-not-idempotent", values, **{"enable.idempotence": False})
    read = read_all(plain, "rd-not-idempotent", 1)
    assert set(read) == set(values)
    assert all(read[offset] == value for value, (_, offset) in offsets.items()), "each is where its acknowledgement said"


def many_partitions():
    create("rd-wide", 20)
    values = [f"value {number}" for number in range(4000)]
    produce(plain, "rd-wide", values)
    assert sorted(read_all(plain, "rd-wide", 20)) == sorted(values)


def offsets_for_times():
    create("rd-times")
    now = int(time.time() * 1000)
    producer = Producer({**plain, "enable.idempotence": True})
    for age in (3000, 2000, 1000):
        producer.produce("rd-times", b"value", timestamp=now - age)
        assert producer.flush(60) == 0
    consumer = Consumer({**plain, "group.id": "unused"})
    assert consumer.get_watermark_offsets(TopicPartition("rd-times", 0), timeout=60) == (0, 3)
    (found,) = consumer.offsets_for_times([TopicPartition("rd-times", 0, now - 1500)], timeout=60)
    assert found.offset == 2, found
    consumer.close()


def administration():
    admin = create("rd-admin", 2)
    assert admin.create_topics([NewTopic("rd-admin", 1, 3)])["rd-admin"].exception().args[0].name() == "TOPIC_ALREADY_EXISTS"
    admin.create_partitions([NewPartitions("rd-admin", 4)])["rd-admin"].result()
    assert len(admin.list_topics("rd-admin", timeout=60).topics["rd-admin"].partitions) == 4
    resource = ConfigResource(ConfigResource.Type.TOPIC, "rd-admin")
    resource.add_incremental_config(ConfigEntry("retention.ms", "3600000", incremental_operation=AlterConfigOpType.SET))
    admin.incremental_alter_configs([resource])[resource].result()
    described = admin.describe_configs([ConfigResource(ConfigResource.Type.TOPIC, "rd-admin")])
    (configs,) = [future.result() for future in described.values()]
    assert configs["retention.ms"].value == "3600000"
    admin.delete_topics(["rd-admin"])["rd-admin"].result()
    assert "rd-admin" not in admin.list_topics(timeout=60).topics


def wrong_secret():
    errors = []
    admin = AdminClient({**secure, "sasl.password": "wrong", "error_cb": errors.append})
    # The client tries for as long as it is told, and a busy machine may need more than the first seconds to say no.
    for seconds in (5, 30):
        try:
            admin.list_topics(timeout=seconds)
            raise AssertionError("a wrong secret got in")
        except KafkaException:
            admin.poll(1)
        if any(error.code() == KafkaError._AUTHENTICATION for error in errors):
            return
    raise AssertionError(f"it was not said that the secret is wrong: {errors}")


def unknown_topic():
    consumer = Consumer({**plain, "group.id": "unused", "allow.auto.create.topics": False})
    found = consumer.list_topics("rd-absent", timeout=60).topics["rd-absent"]
    assert found.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART, found.error
    consumer.close()


checks = {
    **{f"round trip, {codec}": lambda codec=codec: round_trip(plain, f"rd-{codec}", **{"compression.type": codec}) for codec in ("none", "gzip", "snappy", "lz4", "zstd")},
    "round trip, not idempotent": round_trip_not_idempotent,
    "round trip over SASL_SSL": lambda: round_trip(secure, "rd-secure"),
    "many partitions": many_partitions,
    "watermarks and offsets for times": offsets_for_times,
    "administration": administration,
    "a wrong secret is refused": wrong_secret,
    "an unknown topic is an error": unknown_topic,
}

run_checks(checks)
