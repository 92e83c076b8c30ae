"""Share groups (KIP-932) with librdkafka's share consumer, through the stock confluent-kafka package."""

from __future__ import annotations

import signal
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import confluent_kafka
from confluent_kafka import AcknowledgeType, Message, Producer, ShareConsumer
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from harness import Report, check, check_equal, wait_until
from stock_client import CALL_LIMIT_SECONDS, bootstrap_from_arguments

POLL_SECONDS = 0.5
RECORDS = 300


class ShareCases:
    """All cases; topics and groups carry a suffix of their own."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self.suffix = f"py-share-{uuid.uuid4().hex[:8]}"
        self.admin = AdminClient({"bootstrap.servers": bootstrap})

    def run_all(self) -> None:
        version = f"{confluent_kafka.__version__} (librdkafka {confluent_kafka.libversion()[0]})"
        report = Report("confluent-share-consumer", version)
        cases: list[tuple[str, Callable[[], None]]] = [
            ("share_implicit", self.implicit),
            ("share_explicit", self.explicit),
            ("share_members", self.members),
            ("share_delivery_limit", self.delivery_limit),
            ("share_killed_member", self.killed_member),
        ]
        for name, case in cases:
            report.run(name, case)
        report.finish()

    # Helpers.

    def prepared(self, what: str, count: int, **settings: str) -> str:
        """A topic with records, and a group of the same name that begins at the first."""
        name = f"{what}-{self.suffix}"
        for future in self.admin.create_topics([NewTopic(name, 1, 1)]).values():
            future.result(CALL_LIMIT_SECONDS)
        wanted = {"share.auto.offset.reset": "earliest"} | {
            key.replace("_", "."): value for key, value in settings.items()
        }
        entries = [
            ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
            for key, value in wanted.items()
        ]
        resource = ConfigResource(ResourceType.GROUP, name, incremental_configs=entries)
        for future in self.admin.incremental_alter_configs([resource]).values():
            future.result(CALL_LIMIT_SECONDS)
        self.produce(name, count)
        return name

    def produce(self, topic: str, count: int) -> None:
        producer = Producer({"bootstrap.servers": self.bootstrap})
        for number in range(count):
            producer.produce(topic, f"v{number}".encode())
        check_equal(producer.flush(CALL_LIMIT_SECONDS), 0, "records that were not acknowledged")

    @contextmanager
    def consumer(self, name: str, mode: str) -> Iterator[ShareConsumer]:
        consumer = open_consumer(self.bootstrap, name, mode)
        try:
            yield consumer
        finally:
            consumer.close()

    # Cases.

    def implicit(self) -> None:
        name = self.prepared("implicit", RECORDS)
        with self.consumer(name, "implicit") as consumer:
            values = {message.value() for message in take(consumer, RECORDS)}
            consumer.commit_sync()
        check_equal(len(values), RECORDS, "different records")
        with self.consumer(name, "implicit") as consumer:
            check_nothing(consumer, "after they were accepted")

    def explicit(self) -> None:
        name = self.prepared("explicit", 30)
        kinds = [AcknowledgeType.ACCEPT, AcknowledgeType.RELEASE, AcknowledgeType.REJECT]
        with self.consumer(name, "explicit") as consumer:
            for message in take_once(consumer, 30):
                consumer.acknowledge(message, kinds[message.offset() % 3])
            check_committed(consumer)
            again = take_once(consumer, 10)
            check_equal({message.offset() % 3 for message in again}, {1}, "what was released")
            for message in again:
                consumer.acknowledge(message, AcknowledgeType.ACCEPT)
            check_committed(consumer)
            check_nothing(consumer, "after all were acknowledged")

    def members(self) -> None:
        name = self.prepared("members", RECORDS)
        seen: list[int] = []
        with self.consumer(name, "implicit") as one, self.consumer(name, "implicit") as two:

            def poll_both() -> bool:
                for consumer in (one, two):
                    seen.extend(message.offset() for message in consumer.poll(POLL_SECONDS))
                return len(seen) >= RECORDS

            wait_until(poll_both, "all records")
        check_equal(len(seen), len(set(seen)), "deliveries")

    def delivery_limit(self) -> None:
        name = self.prepared("limit", 5, share_delivery_count_limit="3")
        deliveries: Counter[int | None] = Counter()
        with self.consumer(name, "explicit") as consumer:

            def put_back() -> bool:
                # Kafka hands records out one by one when their last delivery comes near.
                for message in consumer.poll(POLL_SECONDS):
                    deliveries[message.offset()] += 1
                    check_equal(message.delivery_count(), deliveries[message.offset()], "delivery count")
                    consumer.acknowledge(message, AcknowledgeType.RELEASE)
                check_committed(consumer)
                return deliveries.total() >= 15

            wait_until(put_back, "three deliveries of each")
            check_nothing(consumer, "after the last delivery")

    def killed_member(self) -> None:
        """A process that holds records dies without a word; another member gets them at once."""
        name = self.prepared("killed", 20)
        command = [sys.executable, __file__, "--hold", self.bootstrap, name]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdout is not None
            check_equal(holder.stdout.readline().strip(), "20", "records held by the other process")
            holder.send_signal(signal.SIGKILL)
        with self.consumer(name, "implicit") as consumer:
            offsets = {message.offset() for message in take(consumer, 20)}
            check_equal(offsets, set(range(20)), "records of the dead member")


def open_consumer(bootstrap: str, name: str, mode: str) -> ShareConsumer:
    settings = {
        "bootstrap.servers": bootstrap,
        "group.id": name,
        "share.acknowledgement.mode": mode,
    }
    consumer = ShareConsumer(settings)
    consumer.subscribe([name])
    return consumer


def take(consumer: ShareConsumer, count: int) -> list[Message]:
    """Polls until so many records have come."""
    taken: list[Message] = []

    def poll() -> bool:
        for message in consumer.poll(POLL_SECONDS):
            check(message.error() is None, f"no error: {message.error()}")
            taken.append(message)
        return len(taken) >= count

    wait_until(poll, f"{count} records")
    return taken


def take_once(consumer: ShareConsumer, count: int) -> list[Message]:
    """The records of the first poll that gives any; they must be answered before the next."""
    taken: list[Message] = []

    def poll() -> bool:
        taken.extend(consumer.poll(POLL_SECONDS))
        return bool(taken)

    wait_until(poll, f"{count} records in one poll")
    check_equal(len(taken), count, "records of a poll")
    return taken


def check_nothing(consumer: ShareConsumer, when: str) -> None:
    for _ in range(4):
        again = [message.offset() for message in consumer.poll(POLL_SECONDS)]
        check_equal(again, [], f"records that come again {when}")


def check_committed(consumer: ShareConsumer) -> None:
    refused = {place: error for place, error in consumer.commit_sync().items() if error is not None}
    check_equal(refused, {}, "acknowledgements that were refused")


def hold(bootstrap: str, name: str) -> None:
    """Acquires records, says how many, and waits to be killed."""
    consumer = open_consumer(bootstrap, name, "explicit")
    print(len(take_once(consumer, 20)), flush=True)
    signal.pause()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--hold"]:
        hold(sys.argv[2], sys.argv[3])
    else:
        ShareCases(bootstrap_from_arguments()).run_all()
