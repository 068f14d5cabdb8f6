"""A deployed fleet from outside: `suite.py READY_LINE HOSTS PROJECT`. READY_LINE: what `npm run deploy:local -- --json` printed.
HOSTS: the hosts file that this process sees, to write to. Ends with `N passed, N failed`."""

import base64
import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

sys.path.append(os.path.join(os.path.dirname(__file__), "../../clients/librdkafka"))
from checks import run_checks  # noqa: E402

PARTITIONS = 6
SECONDS_MAX = 90
# A broker that was killed is replaced by a new task with a new id: names of more ids than will be given.
BROKER_IDS_MAX = 20
# Of tasks, and of processes.
ZONES = ("us-east-1a", "us-east-1b", "us-east-1c", "zone-a", "zone-b", "zone-c")
ready = json.load(open(sys.argv[1]))
hosts_file, project = sys.argv[2:4]
processes = ready.get("processes")
operator = json.load(open(ready["apiKeyFile"]))


def call(method, path, body=None, key=operator):
    """One call of the provisioning API: status and answer."""
    credentials = base64.b64encode(f"{key['id']}:{key['secret']}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(ready["api"] + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            text = response.read()
            return response.status, json.loads(text) if text else None
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"null")


def made(path, body):
    status, answer = call("POST", path, body)
    assert status in (200, 201, 202), f"{path}: {status} {answer}"
    return answer


def until(what, condition):
    deadline = time.monotonic() + SECONDS_MAX
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.1)


class Tenant:
    """A logical cluster in an environment of its own, and a key of a service account, all made by HTTP."""

    def __init__(self):
        self.environment = made("/org/v2/environments", {"display_name": f"end-to-end {os.getpid()}"})["id"]
        cluster = made("/cmk/v2/clusters", {"spec": {"display_name": "orders", "environment": {"id": self.environment}}})
        self.lkc = cluster["id"]
        account = made("/iam/v2/service-accounts", {"display_name": f"shop {os.getpid()}"})["id"]
        spec = {"owner": {"id": account}, "resource": {"id": self.lkc}}
        key = made("/iam/v2/api-keys", {"spec": spec})
        self.key = key["id"]
        self.settings = {
            "bootstrap.servers": cluster["spec"]["kafka_bootstrap_endpoint"].removeprefix("SASL_SSL://"),
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "PLAIN",
            "sasl.username": key["id"],
            "sasl.password": key["spec"]["secret"],
            "ssl.ca.location": ready["authorityFile"],
            "log_level": 0,
        }
        domain = "balafon.localhost"
        names = [f"{self.lkc}.{domain}"]
        names += [f"b{id}-{self.lkc}.{zone}.{domain}" for id in range(1, BROKER_IDS_MAX + 1) for zone in ZONES]
        with open(hosts_file, "a") as hosts:
            for name in names:
                hosts.write(f"{ready['address']} {name}\n")


class Member(threading.Thread):
    """A member of a group that processes records and commits them."""

    def __init__(self, settings, topic, seen):
        super().__init__(daemon=True)
        self.ending = False
        self.error = None
        self.seen = seen
        self.consumer = Consumer(
            {
                **settings,
                "group.id": topic,
                "auto.offset.reset": "earliest",
                # Longer than any machine stands still: who is held for dead cannot commit when it leaves.
                "session.timeout.ms": 30000,
                "auto.commit.interval.ms": 200,
                "partition.assignment.strategy": "cooperative-sticky",
            }
        )
        self.consumer.subscribe([topic])
        self.start()

    def run(self):
        passing = (KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._RESOLVE)
        try:
            while not self.ending:
                for message in self.consumer.consume(100, 0.1):
                    error = message.error()
                    if error is None:
                        self.seen.setdefault(message.value(), set()).add((message.partition(), message.offset()))
                    elif not error.retriable() and error.code() not in passing:
                        raise KafkaException(error)
        except Exception as error:
            self.error = error
        finally:
            self.consumer.close()

    def end(self):
        self.ending = True
        self.join(60)
        assert not self.is_alive(), "a member does not end"
        assert self.error is None, self.error


def broker_containers():
    """Names of running containers of brokers; none while one is being removed, of which podman complains."""
    filters = ["--filter", f"label={os.environ['label']}", "--filter", "label=com.amazonaws.ecs.container-name=broker"]
    command = ["podman", "ps", *filters, "--format", "{{.Names}}"]
    listed = subprocess.run(command, capture_output=True, text=True)
    return listed.stdout.split() if listed.returncode == 0 else []


def container_of(broker_id):
    for name in broker_containers():
        log = subprocess.run(["podman", "logs", name], check=True, capture_output=True, text=True)
        if f'"event":"ready","brokerId":{broker_id},' in log.stdout + log.stderr:
            return name
    raise AssertionError(f"no container says that it is broker {broker_id}")


def kill_broker(broker_id):
    """kill -9, of a container or of a process."""
    if processes is None:
        command = ["podman", "kill", "--signal", "KILL", container_of(broker_id)]
    else:
        command = ["node", f"{project}/local/broker-command.ts", "kill", str(broker_id), "--data", processes]
    subprocess.run(command, check=True, capture_output=True)


tenants = []
admins = []


def admin_of(settings):
    """Kept: a client that nobody holds ends before its answers come. A new one each time: librdkafka 2.16 may wait for ever
    for a broker that was away."""
    admins.append(AdminClient(settings))
    return admins[-1]



def made_by_http():
    tenant = Tenant()
    tenants.append(tenant)
    status, cluster = call("GET", f"/cmk/v2/clusters/{tenant.lkc}?environment={tenant.environment}")
    assert status == 200 and cluster["status"]["phase"] == "PROVISIONED", cluster
    wrong = {"id": operator["id"], "secret": operator["secret"][:-1] + "?"}
    assert call("GET", "/org/v2/environments", key=wrong)[0] == 401
    assert call("GET", "/no/such/path")[0] == 404


def group_while_a_broker_dies():
    (tenant,) = tenants
    topic = "orders"
    admin = admin_of(tenant.settings)
    admin.create_topics([NewTopic(topic, PARTITIONS, 3)])[topic].result(60)
    seen = {}
    members = [Member(tenant.settings, topic, seen) for _ in range(2)]
    acknowledged = {}
    failures = []

    def delivered(error, message):
        if error is None:
            acknowledged[message.value()] = (message.partition(), message.offset())
        else:
            failures.append(error)

    producer = Producer({**tenant.settings, "acks": "all", "enable.idempotence": True, "linger.ms": 5})
    number = 0

    def produce(count):
        nonlocal number
        for _ in range(count):
            producer.produce(topic, f"order {number}".encode(), partition=number % PARTITIONS, on_delivery=delivered)
            producer.poll(0)
            number += 1

    def consumed(count):
        def condition():
            producer.poll(0)
            for member in members:
                assert member.error is None, member.error
            return len(seen) >= count

        return condition

    produce(600)
    until("the group reads", consumed(600))
    before = set()

    # A broker that stands still for a moment is not named meanwhile.
    def all_are_named():
        before.clear()
        before.update(admin.list_topics(timeout=30).brokers)
        return len(before) == 3

    until("three brokers", all_are_named)
    victim = admin.describe_consumer_groups([topic])[topic].result(60).coordinator.id
    produce(300)
    kill_broker(victim)
    for _ in range(30):
        produce(20)
        time.sleep(0.1)
    assert producer.flush(SECONDS_MAX) == 0 and not failures, f"not acknowledged: {failures[:3]}"
    assert len(acknowledged) == number
    until("each record is read", consumed(number))
    for member in members:
        member.end()
    lost = [value for value, place in acknowledged.items() if place not in seen.get(value, ())]
    assert not lost, f"{len(lost)} acknowledged records were not read, such as {lost[:3]}"
    places = set().union(*seen.values())
    assert len(places) == number, "a record was stored twice"

    watching = admin_of(tenant.settings)

    def replaced():
        time.sleep(1)
        try:
            ids = set(watching.list_topics(timeout=10).brokers)
        except KafkaException:
            return False
        # A process comes back with its data and its id; a new task has neither.
        if processes is not None:
            return ids == before
        return len(broker_containers()) == 3 and len(ids - before) == 1 and len(ids) == 3

    until("another one takes the place of the one that died", replaced)


def committed_offsets_outlive_it():
    (tenant,) = tenants
    consumer = Consumer({**tenant.settings, "group.id": "orders", "auto.offset.reset": "earliest"})
    consumer.subscribe(["orders"])
    producer = Producer({**tenant.settings, "acks": "all", "enable.idempotence": True})
    for partition in range(PARTITIONS):
        producer.produce("orders", b"after", partition=partition)
    assert producer.flush(SECONDS_MAX) == 0
    values = []

    def condition():
        for message in consumer.consume(100, 0.1):
            if message.error() is None:
                values.append(message.value())
        return values.count(b"after") == PARTITIONS

    until("what came after the last commit", condition)
    consumer.close()
    # Members committed when they left: nothing from before is read again.
    assert values == [b"after"] * PARTITIONS, f"{len(values)} records"


def a_deleted_key_is_refused():
    (tenant,) = tenants
    assert call("DELETE", f"/iam/v2/api-keys/{tenant.key}")[0] == 204

    def refused():
        time.sleep(1)
        errors = []
        client = AdminClient({**tenant.settings, "error_cb": errors.append})
        try:
            client.list_topics(timeout=3)
            return False
        except KafkaException:
            client.poll(0.1)
            return any(error.code() == KafkaError._AUTHENTICATION for error in errors)

    until("the key gets nobody in", refused)


checks = {
    "an environment, a cluster, a service account and a key by HTTP": made_by_http,
    "a group through the router, and a broker killed meanwhile": group_while_a_broker_dies,
    "the group goes on from its commits": committed_offsets_outlive_it,
    "a key that was deleted by HTTP": a_deleted_key_is_refused,
}

run_checks(checks)
