"""aiokafka: the asyncio client; every call runs to its end on one background event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

import aiokafka
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

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

Answer = TypeVar("Answer")

_LOOP = asyncio.new_event_loop()
threading.Thread(target=_LOOP.run_forever, daemon=True).start()


def run(call: Coroutine[Any, Any, Answer]) -> Answer:
    """Runs a coroutine on the background loop, for a bounded time."""
    return asyncio.run_coroutine_threadsafe(call, _LOOP).result(CALL_LIMIT_SECONDS + 10)


def _fetched(record: ConsumerRecord) -> Fetched:
    return Fetched(
        partition=record.partition,
        offset=record.offset,
        value=record.value,
        key=record.key,
        headers=tuple(record.headers),
        timestamp_ms=record.timestamp,
    )


class AiokafkaMember(Member):
    """A consumer polled by a task of the background loop."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._values: set[bytes] = set()
        self._task = asyncio.run_coroutine_threadsafe(self._poll(), _LOOP)

    async def _poll(self) -> None:
        while True:
            for records in (await self._consumer.getmany(timeout_ms=100)).values():
                self._values.update(record.value for record in records)

    def assignment(self) -> frozenset[int]:
        return frozenset(p.partition for p in self._consumer.assignment())

    def values(self) -> frozenset[bytes]:
        return frozenset(self._values.copy())

    def leave(self) -> None:
        self._task.cancel()
        run(self._consumer.stop())


class AiokafkaClient(StockClient):
    name = "aiokafka"
    version = aiokafka.__version__
    codecs = frozenset({"none", "gzip", "snappy", "lz4", "zstd"})

    def create_topic(self, topic: str, partitions: int) -> None:
        self._administer(lambda admin: admin.create_topics([NewTopic(topic, partitions, 1)]))

    def _administer(self, call: Any) -> Any:
        """Runs one call on an admin client that lives for it alone; raises on error codes."""

        async def task() -> Any:
            admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
            await admin.start()
            try:
                return await asyncio.wait_for(call(admin), CALL_LIMIT_SECONDS)
            finally:
                await admin.close()

        answer = run(task())
        for error in [*getattr(answer, "topic_errors", ()), *getattr(answer, "topic_error_codes", ())]:
            if error[1] != 0:
                raise RuntimeError(f"error {error[1]} for {error[0]}")
        return answer

    def produce(
        self,
        topic: str,
        records: Sequence[Record],
        *,
        acks: str = "all",
        codec: str = "none",
        idempotent: bool = False,
    ) -> None:
        async def task() -> None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self.bootstrap,
                acks=acks if acks == "all" else int(acks),
                compression_type=None if codec == "none" else codec,
                enable_idempotence=idempotent,
                linger_ms=5,
            )
            await producer.start()
            try:
                sent = [
                    await producer.send(
                        topic,
                        value=record.value,
                        key=record.key,
                        headers=list(record.headers),
                        partition=record.partition,
                        timestamp_ms=record.timestamp_ms,
                    )
                    for record in records
                ]
                await asyncio.wait_for(asyncio.gather(*sent), CALL_LIMIT_SECONDS)
            finally:
                await producer.stop()

        run(task())

    def transact(self, transactional_id: str, transactions: Sequence[Transaction]) -> None:
        async def task() -> None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self.bootstrap, transactional_id=transactional_id, linger_ms=5
            )
            await producer.start()
            try:
                for transaction in transactions:
                    await producer.begin_transaction()
                    sent = [
                        await producer.send(transaction.topic, value=record.value, key=record.key, partition=0)
                        for record in transaction.records
                    ]
                    await asyncio.wait_for(asyncio.gather(*sent), CALL_LIMIT_SECONDS)
                    if transaction.offset is not None:
                        group, topic, offset = transaction.offset
                        await producer.send_offsets_to_transaction({TopicPartition(topic, 0): offset}, group)
                    if transaction.commits:
                        await producer.commit_transaction()
                    else:
                        await producer.abort_transaction()
            finally:
                await producer.stop()

        run(task())

    def _consumer(
        self,
        group: str | None,
        *topics: str,
        auto_commit: bool = False,
        isolation: str = "read_uncommitted",
    ) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            *topics,
            bootstrap_servers=self.bootstrap,
            group_id=group,
            auto_offset_reset="earliest",
            enable_auto_commit=auto_commit,
            isolation_level=isolation,
            heartbeat_interval_ms=HEARTBEAT_MS,
            session_timeout_ms=SESSION_MS,
        )

    @staticmethod
    async def _poll(consumer: AIOKafkaConsumer, count: int) -> list[Fetched]:
        got: list[Fetched] = []
        deadline = _LOOP.time() + CALL_LIMIT_SECONDS
        while len(got) < count and _LOOP.time() < deadline:
            polled = await consumer.getmany(timeout_ms=200, max_records=count - len(got))
            for records in polled.values():
                got.extend(_fetched(record) for record in records)
        return got

    def read_committed(self, topic: str, count: int) -> list[Fetched]:
        return self._read(topic, count, 0, "read_committed")

    def read(self, topic: str, count: int, offset: int = 0) -> list[Fetched]:
        return self._read(topic, count, offset, "read_uncommitted")

    def _read(self, topic: str, count: int, offset: int, isolation: str) -> list[Fetched]:
        async def task() -> list[Fetched]:
            consumer = self._consumer(None, isolation=isolation)
            await consumer.start()
            try:
                partition = TopicPartition(topic, 0)
                consumer.assign([partition])
                consumer.seek(partition, offset)
                return await self._poll(consumer, count)
            finally:
                await consumer.stop()

        return run(task())

    def read_in_group(self, group: str, topic: str, count: int) -> list[Fetched]:
        async def task() -> list[Fetched]:
            consumer = self._consumer(group, topic)
            await consumer.start()
            try:
                got = await self._poll(consumer, count)
                await consumer.commit({TopicPartition(topic, 0): got[-1].offset + 1})
                return got
            finally:
                await consumer.stop()

        return run(task())

    def join(self, group: str, topic: str) -> Member:
        async def start() -> AIOKafkaConsumer:
            consumer = self._consumer(group, topic, auto_commit=True)
            await consumer.start()
            return consumer

        return AiokafkaMember(run(start()))

    def offset_for_time(self, topic: str, timestamp_ms: int) -> int | None:
        async def task() -> int | None:
            consumer = self._consumer(None)
            await consumer.start()
            try:
                partition = TopicPartition(topic, 0)
                consumer.assign([partition])
                found = (await consumer.offsets_for_times({partition: timestamp_ms}))[partition]
                return None if found is None else int(found.offset)
            finally:
                await consumer.stop()

        return run(task())

    def list_topics(self) -> set[str]:
        return set(self._administer(lambda admin: admin.list_topics()))

    def partition_count(self, topic: str) -> int:
        return len(self._administer(lambda admin: admin.describe_topics([topic]))[0]["partitions"])

    def alter_config(self, topic: str, name: str, value: str) -> None:
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, {name: value})
        (answer,) = self._administer(lambda admin: admin.alter_configs([resource]))
        for code, message, *_ in answer.resources:
            if code != 0:
                raise RuntimeError(f"error {code}: {message}")

    def config(self, topic: str, name: str) -> str:
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, {name: ""})
        (answer,) = self._administer(lambda admin: admin.describe_configs([resource]))
        entries = answer.resources[0][4]
        return str(next(entry[1] for entry in entries if entry[0] == name))

    def create_partitions(self, topic: str, total: int) -> None:
        self._administer(lambda admin: admin.create_partitions({topic: NewPartitions(total)}))

    def delete_records(self, topic: str, before_offset: int) -> None:
        wanted = {TopicPartition(topic, 0): RecordsToDelete(before_offset)}
        self._administer(lambda admin: admin.delete_records(wanted))

    def list_groups(self) -> set[str]:
        return {group[0] for group in self._administer(lambda admin: admin.list_consumer_groups())}

    def describe_group(self, group: str) -> Group:
        (answer,) = self._administer(lambda admin: admin.describe_consumer_groups([group]))
        described = answer.to_object()["groups"][0]
        return Group(described["state"], len(described["members"]))

    def delete_topic(self, topic: str) -> None:
        self._administer(lambda admin: admin.delete_topics([topic]))


if __name__ == "__main__":
    Cases(AiokafkaClient(bootstrap_from_arguments())).run_all()
