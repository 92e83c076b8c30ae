"""kcat (librdkafka as Debian ships it), driven as the command that people type."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from confluent_kafka.admin import AdminClient, NewTopic

from cases import Cases
from processes import Background, run
from stock_client import (
    CALL_LIMIT_SECONDS,
    HEARTBEAT_MS,
    SESSION_MS,
    Fetched,
    Member,
    Record,
    StockClient,
    bootstrap_from_arguments,
)

# Lengths first, so that keys and values may hold any byte.
FORMAT = "%p %o %T %K %S\n%k%s\n%h\n"
KEY_DELIMITER = "\t"
GROUP_SETTINGS = (
    "-X",
    "auto.offset.reset=earliest",
    "-X",
    f"heartbeat.interval.ms={HEARTBEAT_MS}",
    "-X",
    f"session.timeout.ms={SESSION_MS}",
)


def _version() -> str:
    text = run(["kcat", "-V"]).decode()
    found = re.search(r"Version (\S+) .*librdkafka (\S+)", text)
    return f"{found[1]} (librdkafka {found[2]})" if found else "unknown"


def _sized(data: bytes, at: int, length: int) -> tuple[bytes | None, int]:
    """kcat writes -1 as the length of null."""
    if length < 0:
        return None, at
    return data[at : at + length], at + length


def _parse(data: bytes) -> list[Fetched]:
    got: list[Fetched] = []
    at = 0
    while (end := data.find(b"\n", at)) >= 0:
        partition, offset, timestamp, key_size, value_size = (int(n) for n in data[at:end].split())
        key, at = _sized(data, end + 1, key_size)
        value, at = _sized(data, at, value_size)
        end = data.find(b"\n", at + 1)
        if end < 0:
            break
        pairs = [pair.partition("=") for pair in data[at + 1 : end].decode().split(",") if pair]
        headers = tuple((name, text.encode()) for name, _, text in pairs)
        got.append(Fetched(partition, offset, value, key, headers, timestamp))
        at = end + 1
    return got


class KcatMember(Member):
    """`kcat -G`: records on stdout, assignments on stderr."""

    _MOVED = re.compile(rb"% Group .* rebalanced .*: (assigned|revoked): (.*)")

    def __init__(self, bootstrap: str, group: str, topic: str) -> None:
        self._values: set[bytes] = set()
        self._assigned: frozenset[int] = frozenset()
        self._lock = threading.Lock()
        self._process = Background(
            ["kcat", "-b", bootstrap, "-G", group, topic, "-u", *GROUP_SETTINGS, "-f", "%s\n"], self._on_line
        )

    def _on_line(self, line: bytes) -> None:
        moved = self._MOVED.match(line)
        with self._lock:
            if moved is None:
                self._values.add(line)
                return
            named = frozenset(int(n) for n in re.findall(rb"\[(\d+)\]", moved[2]))
            self._assigned = self._assigned | named if moved[1] == b"assigned" else self._assigned - named

    def assignment(self) -> frozenset[int]:
        return self._assigned

    def values(self) -> frozenset[bytes]:
        with self._lock:
            return frozenset(self._values)

    def leave(self) -> None:
        self._process.stop()


class KcatClient(StockClient):
    name = "kcat"
    codecs = frozenset({"none", "gzip", "snappy", "lz4", "zstd"})
    binary_values = False

    def __init__(self, bootstrap: str) -> None:
        super().__init__(bootstrap)
        self.version = _version()
        self._helper = AdminClient({"bootstrap.servers": bootstrap})

    def _kcat(self, *arguments: str, stdin: bytes = b"", partial: bool = False) -> bytes:
        return run(["kcat", "-b", self.bootstrap, *arguments], stdin, partial)

    def create_topic(self, topic: str, partitions: int) -> None:
        """kcat creates a topic by producing to it (auto-creation, with the broker's default of
        partitions). Topics of several partitions are made for it by another client."""
        if partitions == 1:
            return
        for future in self._helper.create_topics([NewTopic(topic, partitions, 1)]).values():
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
        """One kcat for each run of records with the same headers and partition."""

        def shape(record: Record) -> tuple[object, ...]:
            return record.partition, record.headers

        for _, group in groupby(sorted(records, key=lambda r: r.partition), shape):
            same = list(group)
            headers = [part for name, text in same[0].headers for part in ("-H", f"{name}={text.decode()}")]
            lines = [
                (record.key or b"") + KEY_DELIMITER.encode() + (record.value or b"") for record in same
            ]
            self._kcat(
                *("-P", "-t", topic, "-p", str(same[0].partition), "-K", KEY_DELIMITER, "-Z", "-z", codec),
                *("-X", f"acks={acks}", "-X", f"enable.idempotence={str(idempotent).lower()}"),
                *headers,
                stdin=b"\n".join(lines) + b"\n",
            )

    def read(self, topic: str, count: int, offset: int = 0) -> list[Fetched]:
        arguments = ("-C", "-q", "-t", topic, "-p", "0", "-o", str(offset), "-c", str(count), "-f", FORMAT)
        return _parse(self._kcat(*arguments, partial=True))

    def read_in_group(self, group: str, topic: str, count: int) -> list[Fetched]:
        arguments = ("-q", "-c", str(count), *GROUP_SETTINGS, "-f", FORMAT, "-G", group, topic)
        return _parse(self._kcat(*arguments, partial=True))

    def join(self, group: str, topic: str) -> Member:
        return KcatMember(self.bootstrap, group, topic)

    def can_set_timestamps(self) -> bool:
        return False

    def offset_for_time(self, topic: str, timestamp_ms: int) -> int | None:
        said = self._kcat("-Q", "-t", f"{topic}:0:{timestamp_ms}").decode()
        found = re.search(r"offset (-?\d+)", said)
        if found is None:
            raise RuntimeError(f"kcat -Q said {said!r}")
        return int(found[1]) if int(found[1]) >= 0 else None

    def _metadata(self, *arguments: str) -> list[dict[str, Any]]:
        topics: list[dict[str, Any]] = json.loads(self._kcat("-L", "-J", *arguments))["topics"]
        return topics

    def list_topics(self) -> set[str]:
        return {topic["topic"] for topic in self._metadata()}

    def partition_count(self, topic: str) -> int:
        return len(self._metadata("-t", topic)[0]["partitions"])


if __name__ == "__main__":
    Cases(KcatClient(bootstrap_from_arguments())).run_all()
