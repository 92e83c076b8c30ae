"""librdkafka, through the stock confluent-kafka package."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import confluent_kafka
from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourceType,
)

from cases import Cases
from stock_client import (
    CALL_LIMIT_SECONDS,
    HEARTBEAT_MS,
    SESSION_MS,
    Fetched,
    Group,
    Member,
    Record,
    StockClient,
    Transaction,
    bootstrap_from_arguments,
)


def _fetched(message: Message) -> Fetched:
    return Fetched(
        partition=message.partition(),
        offset=message.offset(),
        value=message.value(),
        key=message.key(),
        headers=tuple(message.headers() or ()),
        timestamp_ms=message.timestamp()[1],
    )


class ConfluentMember(Member):
    """A consumer polled by a thread of its own."""

    def __init__(self, consumer: Consumer, topic: str) -> None:
        self._consumer = consumer
        self._values: set[bytes] = set()
        self._assigned: frozenset[int] = frozenset()
        self._stop = threading.Event()
        consumer.subscribe([topic])
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            message = self._consumer.poll(0.1)
            self._assigned = frozenset(p.partition for p in self._consumer.assignment())
            if message is not None and message.error() is None:
                self._values.add(message.value())

    def assignment(self) -> frozenset[int]:
        return self._assigned

    def values(self) -> frozenset[bytes]:
        return frozenset(self._values.copy())

    def leave(self) -> None:
        self._stop.set()
        self._thread.join(CALL_LIMIT_SECONDS)
        self._consumer.close()


class ConfluentClient(StockClient):
    name = "confluent-kafka"
    version = f"{confluent_kafka.__version__} (librdkafka {confluent_kafka.libversion()[0]})"
    codecs = frozenset({"none", "gzip", "snappy", "lz4", "zstd"})

    def __init__(self, bootstrap: str) -> None:
        super().__init__(bootstrap)
        self._admin = AdminClient({"bootstrap.servers": bootstrap})

    def create_topic(self, topic: str, partitions: int) -> None:
        for future in self._admin.create_topics([NewTopic(topic, partitions, 1)]).values():
            future.result(CALL_LIMIT_SECONDS)

    def produce(
        self,
        topic: str,
        records: Sequence[Record],
        *,
        acks: str = "all",
        codec: str = "none",
        idempotent: bool = False,
    ) -> None:
        producer = Producer(
            {
                "bootstrap.servers": self.bootstrap,
                "acks": acks,
                "compression.type": codec,
                "enable.idempotence": idempotent,
                "linger.ms": 5,
            }
        )
        errors: list[str] = []

        def delivered(error: object, _message: Message) -> None:
            if error is not None:
                errors.append(str(error))

        for record in records:
            producer.produce(
                topic,
                value=record.value,
                key=record.key,
                partition=record.partition,
                headers=list(record.headers),
                timestamp=record.timestamp_ms or 0,
                on_delivery=delivered,
            )
        left = producer.flush(CALL_LIMIT_SECONDS)
        if left or errors:
            raise RuntimeError(f"{left} records not delivered, errors: {errors[:3]}")

    def _consumer(self, group: str, **more: object) -> Consumer:
        return Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": group,
                "auto.offset.reset": "earliest",
                "heartbeat.interval.ms": HEARTBEAT_MS,
                "session.timeout.ms": SESSION_MS,
                **more,
            }
        )

    def _poll(self, consumer: Consumer, count: int) -> list[Fetched]:
        got: list[Fetched] = []
        deadline = time.monotonic() + CALL_LIMIT_SECONDS
        while len(got) < count and time.monotonic() < deadline:
            message = consumer.poll(0.2)
            if message is None:
                continue
            if message.error() is not None:
                raise KafkaException(message.error())
            got.append(_fetched(message))
        return got

    def read(self, topic: str, count: int, offset: int = 0) -> list[Fetched]:
        consumer = self._consumer("unused", **{"enable.auto.commit": False})
        try:
            consumer.assign([TopicPartition(topic, 0, offset)])
            return self._poll(consumer, count)
        finally:
            consumer.close()

    def read_committed(self, topic: str, count: int) -> list[Fetched]:
        consumer = self._consumer("unused", **{"enable.auto.commit": False, "isolation.level": "read_committed"})
        try:
            consumer.assign([TopicPartition(topic, 0, 0)])
            return self._poll(consumer, count)
        finally:
            consumer.close()

    def transact(self, transactional_id: str, transactions: Sequence[Transaction]) -> None:
        producer = Producer(
            {"bootstrap.servers": self.bootstrap, "transactional.id": transactional_id, "linger.ms": 5}
        )
        producer.init_transactions(CALL_LIMIT_SECONDS)
        for transaction in transactions:
            producer.begin_transaction()
            for record in transaction.records:
                producer.produce(transaction.topic, value=record.value, key=record.key, partition=0)
            if producer.flush(CALL_LIMIT_SECONDS):
                raise RuntimeError("records of a transaction were not delivered")
            if transaction.offset is not None:
                group, topic, offset = transaction.offset
                consumer = self._consumer(group)
                producer.send_offsets_to_transaction(
                    [TopicPartition(topic, 0, offset)], consumer.consumer_group_metadata(), CALL_LIMIT_SECONDS
                )
                consumer.close()
            if transaction.commits:
                producer.commit_transaction(CALL_LIMIT_SECONDS)
            else:
                producer.abort_transaction(CALL_LIMIT_SECONDS)

    def read_in_group(self, group: str, topic: str, count: int) -> list[Fetched]:
        consumer = self._consumer(group, **{"enable.auto.commit": False})
        try:
            consumer.subscribe([topic])
            got = self._poll(consumer, count)
            consumer.commit(offsets=[TopicPartition(topic, 0, got[-1].offset + 1)], asynchronous=False)
            return got
        finally:
            consumer.close()

    def join(self, group: str, topic: str) -> Member:
        return ConfluentMember(self._consumer(group), topic)

    def offset_for_time(self, topic: str, timestamp_ms: int) -> int | None:
        consumer = self._consumer("unused")
        try:
            asked = [TopicPartition(topic, 0, timestamp_ms)]
            found = consumer.offsets_for_times(asked, timeout=CALL_LIMIT_SECONDS)[0]
            end = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=CALL_LIMIT_SECONDS)[1]
            # librdkafka answers "none" with the end's logical offset.
            return None if found.offset < 0 or found.offset == end else found.offset
        finally:
            consumer.close()

    def list_topics(self) -> set[str]:
        return set(self._admin.list_topics(timeout=CALL_LIMIT_SECONDS).topics)

    def partition_count(self, topic: str) -> int:
        described = self._admin.list_topics(topic, timeout=CALL_LIMIT_SECONDS).topics[topic]
        return len(described.partitions)

    def alter_config(self, topic: str, name: str, value: str) -> None:
        entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
        for future in self._admin.incremental_alter_configs([resource]).values():
            future.result(CALL_LIMIT_SECONDS)

    def config(self, topic: str, name: str) -> str:
        resource = ConfigResource(ResourceType.TOPIC, topic)
        (future,) = self._admin.describe_configs([resource]).values()
        return str(future.result(CALL_LIMIT_SECONDS)[name].value)

    def create_partitions(self, topic: str, total: int) -> None:
        for future in self._admin.create_partitions([NewPartitions(topic, total)]).values():
            future.result(CALL_LIMIT_SECONDS)

    def delete_records(self, topic: str, before_offset: int) -> None:
        asked = [TopicPartition(topic, 0, before_offset)]
        for future in self._admin.delete_records(asked).values():
            future.result(CALL_LIMIT_SECONDS)

    def list_groups(self) -> set[str]:
        listed = self._admin.list_consumer_groups().result(CALL_LIMIT_SECONDS)
        return {group.group_id for group in listed.valid}

    def describe_group(self, group: str) -> Group:
        (future,) = self._admin.describe_consumer_groups([group]).values()
        described = future.result(CALL_LIMIT_SECONDS)
        return Group(described.state.name, len(described.members))

    def delete_group(self, group: str) -> None:
        for future in self._admin.delete_consumer_groups([group]).values():
            future.result(CALL_LIMIT_SECONDS)

    def delete_topic(self, topic: str) -> None:
        for future in self._admin.delete_topics([topic]).values():
            future.result(CALL_LIMIT_SECONDS)


class NewGroupsClient(ConfluentClient):
    """Members of the new protocol (KIP-848): the broker assigns, and says how often it wants to hear of a member."""

    def join(self, group: str, topic: str) -> Member:
        consumer = Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": group,
                "group.protocol": "consumer",
                "auto.offset.reset": "earliest",
            }
        )
        return ConfluentMember(consumer, topic)


class MixedGroupsClient(NewGroupsClient):
    """The first member speaks the classic protocol, the others the new one."""

    def __init__(self, bootstrap: str) -> None:
        super().__init__(bootstrap)
        self._joined = 0

    def join(self, group: str, topic: str) -> Member:
        self._joined += 1
        if self._joined == 1:
            return ConfluentClient.join(self, group, topic)
        return super().join(group, topic)


class ConfluentCases(Cases):
    def _named(self) -> list[tuple[str, Callable[[], None]]]:
        bootstrap = self.client.bootstrap
        new, mixed = Cases(NewGroupsClient(bootstrap)), Cases(MixedGroupsClient(bootstrap))
        return [
            *super()._named(),
            ("consumer_group", new.group_rebalance),
            ("consumer_group_upgrade", mixed.group_rebalance),
        ]


if __name__ == "__main__":
    ConfluentCases(ConfluentClient(bootstrap_from_arguments())).run_all()
