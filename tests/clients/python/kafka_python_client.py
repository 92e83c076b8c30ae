"""kafka-python: a client with a codec and group code of its own, all in Python."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import kafka
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.consumer.fetcher import ConsumerRecord
from kafka.structs import OffsetAndMetadata

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


def _fetched(record: ConsumerRecord) -> Fetched:
    return Fetched(
        partition=record.partition,
        offset=record.offset,
        value=record.value,
        key=record.key,
        headers=tuple((name, bytes(value)) for name, value in record.headers),
        timestamp_ms=record.timestamp,
    )


class KafkaPythonMember(Member):
    """A consumer polled by a thread of its own."""

    def __init__(self, consumer: KafkaConsumer, topic: str) -> None:
        self._consumer = consumer
        self._values: set[bytes] = set()
        self._assigned: frozenset[int] = frozenset()
        self._stop = threading.Event()
        consumer.subscribe([topic])
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            for records in self._consumer.poll(timeout_ms=100).values():
                self._values.update(record.value for record in records)
            self._assigned = frozenset(p.partition for p in self._consumer.assignment())

    def assignment(self) -> frozenset[int]:
        return self._assigned

    def values(self) -> frozenset[bytes]:
        return frozenset(self._values.copy())

    def leave(self) -> None:
        self._stop.set()
        self._thread.join(CALL_LIMIT_SECONDS)
        self._consumer.close()


class KafkaPythonClient(StockClient):
    name = "kafka-python"
    version = kafka.__version__
    codecs = frozenset({"none", "gzip", "snappy", "lz4", "zstd"})

    def __init__(self, bootstrap: str) -> None:
        super().__init__(bootstrap)
        self._admin = KafkaAdminClient(bootstrap_servers=bootstrap)

    def create_topic(self, topic: str, partitions: int) -> None:
        wanted = {topic: {"num_partitions": partitions, "replication_factor": 1}}
        self._admin.create_topics(wanted, wait_for_metadata=True)

    def produce(
        self,
        topic: str,
        records: Sequence[Record],
        *,
        acks: str = "all",
        codec: str = "none",
        idempotent: bool = False,
    ) -> None:
        producer = KafkaProducer(
            bootstrap_servers=self.bootstrap,
            acks=acks if acks == "all" else int(acks),
            compression_type=None if codec == "none" else codec,
            enable_idempotence=idempotent,
            linger_ms=5,
        )
        try:
            sent = [
                producer.send(
                    topic,
                    value=record.value,
                    key=record.key,
                    headers=list(record.headers),
                    partition=record.partition,
                    timestamp_ms=record.timestamp_ms,
                )
                for record in records
            ]
            producer.flush(CALL_LIMIT_SECONDS)
            for future in sent:
                future.get(CALL_LIMIT_SECONDS)
        finally:
            producer.close(CALL_LIMIT_SECONDS)

    def _consumer(
        self, group: str | None, auto_commit: bool = False, isolation: str = "read_uncommitted"
    ) -> KafkaConsumer:
        return KafkaConsumer(
            bootstrap_servers=self.bootstrap,
            group_id=group,
            auto_offset_reset="earliest",
            enable_auto_commit=auto_commit,
            isolation_level=isolation,
            heartbeat_interval_ms=HEARTBEAT_MS,
            session_timeout_ms=SESSION_MS,
        )

    def _poll(self, consumer: KafkaConsumer, count: int) -> list[Fetched]:
        got: list[Fetched] = []
        deadline = time.monotonic() + CALL_LIMIT_SECONDS
        while len(got) < count and time.monotonic() < deadline:
            polled = consumer.poll(timeout_ms=200, max_records=count - len(got))
            for records in polled.values():
                got.extend(_fetched(record) for record in records)
        return got

    def transact(self, transactional_id: str, transactions: Sequence[Transaction]) -> None:
        producer = KafkaProducer(
            bootstrap_servers=self.bootstrap, transactional_id=transactional_id, linger_ms=5
        )
        try:
            producer.init_transactions()
            for transaction in transactions:
                producer.begin_transaction()
                sent = [
                    producer.send(transaction.topic, value=record.value, key=record.key, partition=0)
                    for record in transaction.records
                ]
                producer.flush(CALL_LIMIT_SECONDS)
                for future in sent:
                    future.get(CALL_LIMIT_SECONDS)
                if transaction.offset is not None:
                    group, topic, offset = transaction.offset
                    offsets = {TopicPartition(topic, 0): OffsetAndMetadata(offset, "", -1)}
                    producer.send_offsets_to_transaction(offsets, group)
                if transaction.commits:
                    producer.commit_transaction()
                else:
                    producer.abort_transaction()
        finally:
            producer.close(CALL_LIMIT_SECONDS)

    def read_committed(self, topic: str, count: int) -> list[Fetched]:
        return self._read(self._consumer(None, isolation="read_committed"), topic, count, 0)

    def read(self, topic: str, count: int, offset: int = 0) -> list[Fetched]:
        return self._read(self._consumer(None), topic, count, offset)

    def _read(self, consumer: KafkaConsumer, topic: str, count: int, offset: int) -> list[Fetched]:
        try:
            partition = TopicPartition(topic, 0)
            consumer.assign([partition])
            consumer.seek(partition, offset)
            return self._poll(consumer, count)
        finally:
            consumer.close()

    def read_in_group(self, group: str, topic: str, count: int) -> list[Fetched]:
        consumer = self._consumer(group)
        try:
            consumer.subscribe([topic])
            got = self._poll(consumer, count)
            commit = OffsetAndMetadata(got[-1].offset + 1, "", -1)
            consumer.commit({TopicPartition(topic, 0): commit})
            return got
        finally:
            consumer.close()

    def join(self, group: str, topic: str) -> Member:
        return KafkaPythonMember(self._consumer(group, auto_commit=True), topic)

    def offset_for_time(self, topic: str, timestamp_ms: int) -> int | None:
        consumer = self._consumer(None)
        try:
            partition = TopicPartition(topic, 0)
            found = consumer.offsets_for_times({partition: timestamp_ms})[partition]
            return None if found is None else found.offset
        finally:
            consumer.close()

    def list_topics(self) -> set[str]:
        return set(self._admin.list_topics())

    def partition_count(self, topic: str) -> int:
        return len(self._admin.describe_topics([topic])[0]["partitions"])

    def alter_config(self, topic: str, name: str, value: str) -> None:
        self._admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {name: value})])

    def config(self, topic: str, name: str) -> str:
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, {name: ""})
        described = self._admin.describe_configs([resource], config_filter="all")
        return str(described["topic"][topic][name]["value"])

    def create_partitions(self, topic: str, total: int) -> None:
        self._admin.create_partitions({topic: total})

    def delete_records(self, topic: str, before_offset: int) -> None:
        self._admin.delete_records({TopicPartition(topic, 0): before_offset})

    def list_groups(self) -> set[str]:
        return {group["group_id"] for group in self._admin.list_groups()}

    def describe_group(self, group: str) -> Group:
        described = self._admin.describe_groups([group])[group]
        return Group(described["group_state"], len(described["members"]))

    def delete_group(self, group: str) -> None:
        for name, error in self._admin.delete_groups([group]).items():
            if error != "OK" and getattr(error, "errno", 0) != 0:
                raise RuntimeError(f"{name}: {error}")

    def delete_topic(self, topic: str) -> None:
        self._admin.delete_topics([topic])


if __name__ == "__main__":
    Cases(KafkaPythonClient(bootstrap_from_arguments())).run_all()
