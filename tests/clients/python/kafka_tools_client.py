"""The command line tools that come with Apache Kafka, one process for each call.

`KAFKA_LIB` names the directory that holds Kafka's jars.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from cases import PARTITIONS, Cases
from harness import check, check_equal
from processes import Background, run
from stock_client import (
    HEARTBEAT_MS,
    Fetched,
    Group,
    Member,
    Record,
    StockClient,
    bootstrap_from_arguments,
)

LIBRARY = Path(os.environ["KAFKA_LIB"])
# Short-lived processes: the quick compiler and the small collector halve their CPU time.
JAVA = (
    "java",
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-cp",
    f"{LIBRARY}/*",
)
TOOLS = "org.apache.kafka.tools"
NULL = "(null)"
FIELD = "|"
PERF_RECORDS = 20_000


def _version() -> str:
    jar = next(LIBRARY.glob("kafka-tools-[0-9]*.jar"))
    return jar.stem.removeprefix("kafka-tools-")


def _java(tool: str, *arguments: str, stdin: bytes = b"", partial: bool = False) -> str:
    return run([*JAVA, tool, *arguments], stdin, partial).decode()


def _field(text: str) -> bytes | None:
    return None if text == NULL else text.encode()


def _parse_headers(text: str) -> tuple[tuple[str, bytes], ...]:
    if text == "NO_HEADERS":
        return ()
    pairs = (pair.partition(":") for pair in text.split(","))
    return tuple((name, value.encode()) for name, _, value in pairs)


def _parse(line: str) -> Fetched:
    """One line of the console consumer with every `print.` property set."""
    timestamp, partition, offset, headers, key, value = line.split(FIELD, 5)
    return Fetched(
        partition=int(partition.removeprefix("Partition:")),
        offset=int(offset.removeprefix("Offset:")),
        value=_field(value),
        key=_field(key),
        headers=_parse_headers(headers),
        timestamp_ms=int(timestamp.partition(":")[2]),
    )


class VerifiableMember(Member):
    """VerifiableConsumer: a JSON line for every event."""

    def __init__(self, bootstrap: str, group: str, topic: str) -> None:
        self._values: set[bytes] = set()
        self._assigned: frozenset[int] = frozenset()
        self._lock = threading.Lock()
        with tempfile.NamedTemporaryFile("w", suffix=".properties", delete=False) as config:
            config.write(f"heartbeat.interval.ms={HEARTBEAT_MS}\n")
        self._config = Path(config.name)
        arguments = ("--topic", topic, "--group-id", group, "--verbose", "--command-config", config.name)
        command = [*JAVA, f"{TOOLS}.VerifiableConsumer", "--bootstrap-server", bootstrap, *arguments]
        self._process = Background(command, self._on_line)

    def _on_line(self, line: bytes) -> None:
        if not line.startswith(b"{"):
            return
        event = json.loads(line)
        named = frozenset(p["partition"] for p in event.get("partitions", ()))
        with self._lock:
            match event["name"]:
                case "partitions_assigned":
                    self._assigned |= named
                case "partitions_revoked":
                    self._assigned -= named
                case "record_data":
                    self._values.add(event["value"].encode())

    def assignment(self) -> frozenset[int]:
        return self._assigned

    def values(self) -> frozenset[bytes]:
        with self._lock:
            return frozenset(self._values)

    def leave(self) -> None:
        self._process.stop()
        self._config.unlink(missing_ok=True)


class KafkaToolsClient(StockClient):
    name = "kafka-tools"
    version = _version()
    codecs = frozenset({"none", "gzip", "snappy", "lz4", "zstd"})
    binary_values = False

    def tool(self, name: str, *arguments: str, stdin: bytes = b"", partial: bool = False) -> str:
        """Runs a tool, by its class below `org.apache.kafka.tools` or by its full name."""
        full = name if name.startswith("kafka.") else f"{TOOLS}.{name}"
        return _java(full, "--bootstrap-server", self.bootstrap, *arguments, stdin=stdin, partial=partial)

    def create_topic(self, topic: str, partitions: int) -> None:
        self.tool("TopicCommand", "--create", "--topic", topic, "--partitions", str(partitions))

    def produce(
        self,
        topic: str,
        records: Sequence[Record],
        *,
        acks: str = "all",
        codec: str = "none",
        idempotent: bool = False,
    ) -> None:
        lines = []
        for record in records:
            headers = ",".join(f"{name}:{text.decode()}" for name, text in record.headers)
            key = NULL if record.key is None else record.key.decode()
            value = NULL if record.value is None else record.value.decode()
            lines.append(f"{headers or NULL}\t{key}\t{value}\n")
        properties = ("parse.headers=true", "parse.key=true", f"null.marker={NULL}")
        self.tool(
            "ConsoleProducer",
            *("--topic", topic, "--compression-codec", codec, "--request-required-acks", acks),
            *("--command-property", f"enable.idempotence={str(idempotent).lower()}"),
            *(part for item in properties for part in ("--reader-property", item)),
            stdin="".join(lines).encode(),
        )

    def _consume(self, topic: str, count: int, *arguments: str) -> list[Fetched]:
        printed = [f"print.{what}=true" for what in ("timestamp", "partition", "offset", "headers", "key")]
        properties = [*printed, f"key.separator={FIELD}", f"null.literal={NULL}"]
        said = self.tool(
            "consumer.ConsoleConsumer",
            *("--topic", topic, "--max-messages", str(count), "--timeout-ms", "15000", *arguments),
            *(part for item in properties for part in ("--formatter-property", item)),
            partial=True,
        )
        return [_parse(line) for line in said.splitlines()]

    def read(self, topic: str, count: int, offset: int = 0) -> list[Fetched]:
        return self._consume(topic, count, "--partition", "0", "--offset", str(offset))

    def read_in_group(self, group: str, topic: str, count: int) -> list[Fetched]:
        return self._consume(topic, count, "--group", group, "--from-beginning")

    def join(self, group: str, topic: str) -> Member:
        return VerifiableMember(self.bootstrap, group, topic)

    def can_set_timestamps(self) -> bool:
        return False

    def offset_for_time(self, topic: str, timestamp_ms: int) -> int | None:
        said = self.tool("GetOffsetShell", "--topic-partitions", f"{topic}:0", "--time", str(timestamp_ms))
        offset = said.strip().rpartition(":")[2]
        return int(offset) if offset else None

    def list_topics(self) -> set[str]:
        return set(self.tool("TopicCommand", "--list").split())

    def partition_count(self, topic: str) -> int:
        said = self.tool("TopicCommand", "--describe", "--topic", topic)
        found = re.search(r"PartitionCount: (\d+)", said)
        return int(found[1]) if found else 0

    def alter_config(self, topic: str, name: str, value: str) -> None:
        entity = ("--entity-type", "topics", "--entity-name", topic)
        self.tool("kafka.admin.ConfigCommand", "--alter", *entity, "--add-config", f"{name}={value}")

    def config(self, topic: str, name: str) -> str:
        entity = ("--entity-type", "topics", "--entity-name", topic)
        said = self.tool("kafka.admin.ConfigCommand", "--describe", *entity)
        found = re.search(rf"{re.escape(name)}=(\S+)", said)
        return found[1] if found else ""

    def create_partitions(self, topic: str, total: int) -> None:
        self.tool("TopicCommand", "--alter", "--topic", topic, "--partitions", str(total))

    def delete_records(self, topic: str, before_offset: int) -> None:
        wanted = {"partitions": [{"topic": topic, "partition": 0, "offset": before_offset}], "version": 1}
        with tempfile.NamedTemporaryFile("w", suffix=".json") as plan:
            json.dump(wanted, plan)
            plan.flush()
            said = self.tool("DeleteRecordsCommand", "--offset-json-file", plan.name)
        check(f"low_watermark: {before_offset}" in said, f"DeleteRecordsCommand said {said!r}")

    def list_groups(self) -> set[str]:
        return set(self.tool("consumer.group.ConsumerGroupCommand", "--list").split())

    def describe_group(self, group: str) -> Group:
        said = self.tool("consumer.group.ConsumerGroupCommand", "--describe", "--state", "--group", group)
        # GROUP COORDINATOR (ID) ASSIGNMENT-STRATEGY STATE #MEMBERS
        row = next(line.split() for line in said.splitlines() if line.startswith(group))
        return Group(row[-2], int(row[-1]))

    def delete_group(self, group: str) -> None:
        said = self.tool("consumer.group.ConsumerGroupCommand", "--delete", "--group", group)
        check("successful" in said, f"ConsumerGroupCommand said {said!r}")

    def delete_topic(self, topic: str) -> None:
        self.tool("TopicCommand", "--delete", "--topic", topic)


class ToolCases(Cases):
    """What only the tools have: the programs for performance and verification."""

    client: KafkaToolsClient

    def _named(self) -> list[tuple[str, Callable[[], None]]]:
        return [
            *super()._named(),
            ("perf_tools", self.perf_tools),
            ("end_to_end_latency", self.end_to_end_latency),
            ("verifiable_producer", self.verifiable_producer),
        ]

    def perf_tools(self) -> None:
        """What the producer's test writes, the consumer's test reads, to the last record."""
        name = self.topic("perf", PARTITIONS)
        size = ("--record-size", "200", "--throughput", "-1")
        said = self.client.tool(
            "ProducerPerformance", "--topic", name, "--num-records", str(PERF_RECORDS), *size
        )
        check(f"{PERF_RECORDS} records sent" in said, f"ProducerPerformance said {said!r}")
        said = self.client.tool(
            "ConsumerPerformance", "--topic", name, "--num-records", str(PERF_RECORDS), "--hide-header"
        )
        check_equal(said.split(", ")[4], str(PERF_RECORDS), "records consumed")

    def end_to_end_latency(self) -> None:
        name = self.topic("latency")
        arguments = ("--topic", name, "--num-records", "300", "--producer-acks", "all", "--record-size", "100")
        said = self.client.tool("EndToEndLatency", *arguments)
        check("Percentiles" in said, f"EndToEndLatency said {said!r}")

    def verifiable_producer(self) -> None:
        name = self.topic("verifiable")
        said = self.client.tool("VerifiableProducer", "--topic", name, "--max-messages", "500", "--acks", "-1")
        events = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
        acked = sorted((e["offset"], e["value"]) for e in events if e["name"] == "producer_send_success")
        check_equal(len(acked), 500, "acknowledged records")
        got = [(g.offset, (g.value or b"").decode()) for g in self.client.read(name, 500)]
        check_equal(got, acked, "records at their acknowledged offsets")


if __name__ == "__main__":
    ToolCases(KafkaToolsClient(bootstrap_from_arguments())).run_all()
