"""The acceptance cases, written once for every client that is driven from Python.

Names and order are the same in Go, Java and JavaScript; `cargo xtask clients` holds the list.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable

from harness import Report, Skip, check, check_equal, wait_until
from stock_client import Fetched, Member, Record, StockClient, Transaction

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
RECORDS = 200
PARTITIONS = 4


class Cases:
    """All cases of one client; topics and groups carry a suffix of their own."""

    def __init__(self, client: StockClient) -> None:
        self.client = client
        self.suffix = f"{client.name}-{uuid.uuid4().hex[:8]}"

    def run_all(self) -> None:
        report = Report(self.client.name, self.client.version)
        for name, case in self._named():
            report.run(name, case)
        report.finish()

    def _named(self) -> list[tuple[str, Callable[[], None]]]:
        def codec(name: str) -> tuple[str, Callable[[], None]]:
            return f"codec_{name}", lambda: self.codec(name)

        def acks(level: str) -> tuple[str, Callable[[], None]]:
            return f"acks_{level}", lambda: self.acks(level)

        return [
            ("create_topic", self.create_topic),
            ("list_topics", self.list_topics),
            ("describe_topic", self.describe_topic),
            *(codec(name) for name in CODECS),
            *(acks(level) for level in ("0", "1", "all")),
            ("idempotent", self.idempotent),
            ("headers", self.headers),
            ("null_key_value", self.null_key_value),
            ("group_rebalance", self.group_rebalance),
            ("commit_resume", self.commit_resume),
            ("transaction", self.transaction),
            ("transaction_offsets", self.transaction_offsets),
            ("seek_by_time", self.seek_by_time),
            ("alter_configs", self.alter_configs),
            ("create_partitions", self.create_partitions),
            ("delete_records", self.delete_records),
            ("list_groups", self.list_groups),
            ("describe_group", self.describe_group),
            ("delete_group", self.delete_group),
            ("delete_topic", self.delete_topic),
        ]

    # Helpers.

    def topic(self, what: str, partitions: int = 1) -> str:
        name = f"{what}-{self.suffix}"
        self.client.create_topic(name, partitions)
        return name

    def records(self, what: str, count: int = RECORDS, size: int = 1000) -> list[Record]:
        """Half of each value repeats (so that codecs have work), half does not."""
        rng = random.Random(what)
        made = []
        for number in range(count):
            tail = rng.randbytes(size // 4) if self.client.binary_values else b""
            filler = f"{what} {number} ".encode() * (size // (2 * len(what) + 8))
            noise = rng.randbytes(size // 4).hex().encode()
            made.append(Record(value=filler + noise + tail, key=f"key-{number}".encode()))
        return made

    def read_back(self, topic: str, sent: list[Record]) -> list[Fetched]:
        """Everything sent to partition 0 comes back: same bytes, same order, offsets from 0."""
        got = self.client.read(topic, len(sent))
        check_equal(len(got), len(sent), "records read")
        check_equal([g.offset for g in got], list(range(len(sent))), "offsets")
        for wanted, found in zip(sent, got, strict=True):
            check(found.value == wanted.value, f"value at offset {found.offset} differs")
            check(found.key == wanted.key, f"key at offset {found.offset} differs")
        return got

    # Topics and records.

    def create_topic(self) -> None:
        name = self.topic("created")
        self.client.produce(name, [Record(b"first")])
        check_equal([g.value for g in self.client.read(name, 1)], [b"first"], "record")

    def list_topics(self) -> None:
        wait_until(lambda: f"created-{self.suffix}" in self.client.list_topics(), "the topic in the list")

    def describe_topic(self) -> None:
        name = self.topic("described", 3)
        wait_until(lambda: self.client.partition_count(name) == 3, "3 partitions in the description")

    def codec(self, codec: str) -> None:
        if codec not in self.client.codecs:
            raise Skip(f"no {codec} in this client")
        name = self.topic(f"codec-{codec}")
        sent = self.records(codec)
        self.client.produce(name, sent, codec=codec)
        self.read_back(name, sent)

    def acks(self, level: str) -> None:
        name = self.topic(f"acks-{level}")
        sent = self.records(f"acks{level}")
        self.client.produce(name, sent, acks=level)
        self.read_back(name, sent)

    def idempotent(self) -> None:
        name = self.topic("idempotent")
        sent = self.records("idempotent", 1000, 100)
        self.client.produce(name, sent[:500], idempotent=True)
        self.client.produce(name, sent[500:], idempotent=True)
        self.read_back(name, sent)

    def headers(self) -> None:
        name = self.topic("headers")
        headers = (("trace", b"abc"), ("twice", b"1"), ("twice", b"2"), ("empty", b""))
        self.client.produce(name, [Record(b"with headers", b"k", headers)])
        got = self.client.read(name, 1)
        check_equal([g.headers for g in got], [headers], "headers")

    def null_key_value(self) -> None:
        name = self.topic("nulls")
        sent = [Record(b"no key", None), Record(None, b"tombstone"), Record(b"both", b"k")]
        self.client.produce(name, sent)
        self.read_back(name, sent)

    # Groups.

    def group_rebalance(self) -> None:
        """A second member joins and leaves in the middle of a load; nothing is missed."""
        name = self.topic("rebalance", PARTITIONS)
        everything = frozenset(range(PARTITIONS))
        sent: set[bytes] = set()

        def feed(phase: str) -> None:
            records = [
                Record(f"{phase}-{number}".encode(), f"{number}".encode(), partition=number % PARTITIONS)
                for number in range(RECORDS)
            ]
            self.client.produce(name, records)
            sent.update(r.value for r in records if r.value is not None)

        group = f"rebalance-{self.suffix}"
        first = self.client.join(group, name)
        members: list[Member] = [first]
        try:
            wait_until(lambda: first.assignment() == everything, "one member with every partition")
            feed("alone")
            second = self.client.join(group, name)
            members.append(second)
            feed("joining")
            wait_until(lambda: _shared(first, second, everything), "two members that share the partitions")
            feed("both")
            wait_until(lambda: len(second.values()) > 0, "records at the second member")
            second.leave()
            members.remove(second)
            feed("left")
            wait_until(lambda: first.assignment() == everything, "every partition back at the first member")
            wait_until(lambda: first.values() | second.values() >= sent, "every record seen")
        finally:
            for member in members:
                member.leave()

    def commit_resume(self) -> None:
        name = self.topic("resume")
        sent = self.records("resume", 100, 100)
        self.client.produce(name, sent)
        group = f"resume-{self.suffix}"
        before = self.client.read_in_group(group, name, 40)
        check_equal([g.offset for g in before], list(range(40)), "offsets before the commit")
        after = self.client.read_in_group(group, name, 60)
        check_equal([g.offset for g in after], list(range(40, 100)), "offsets after the commit")
        check_equal([g.value for g in before + after], [r.value for r in sent], "values")

    # Transactions.

    def transaction(self) -> None:
        """Two transactions are committed, one between them is aborted, and records of none follow."""
        name = self.topic("transaction")
        first, aborted, second, plain = (
            self.records(what, 20, 100) for what in ("first", "aborted", "second", "plain")
        )
        self.client.transact(
            name,
            [Transaction(name, first, True), Transaction(name, aborted, False), Transaction(name, second, True)],
        )
        self.client.produce(name, plain)
        wanted = [record.value for record in [*first, *second, *plain]]
        got = self.client.read_committed(name, len(wanted))
        check(
            [fetched.value for fetched in got] == wanted,
            f"{len(got)} committed records of {len(wanted)}, or others",
        )

    def transaction_offsets(self) -> None:
        """An offset counts for its group once its transaction is committed, and never if that is aborted."""
        source = self.topic("transaction-source")
        self.client.produce(source, self.records("source", 10, 100))
        copies = self.topic("transaction-copies")
        group = f"transaction-{self.suffix}"

        def transaction(offset: int, commits: bool) -> Transaction:
            return Transaction(copies, self.records(f"copy {offset}", 3, 100), commits, (group, source, offset))

        self.client.transact(group, [transaction(4, True), transaction(9, False)])
        got = self.client.read_in_group(group, source, 3)
        check_equal([fetched.offset for fetched in got], [4, 5, 6], "offsets after a commit and an abort")
        self.client.transact(group, [transaction(9, True)])
        got = self.client.read_in_group(group, source, 1)
        check_equal([fetched.offset for fetched in got], [9], "offset after another commit")

    def seek_by_time(self) -> None:
        name = self.topic("times")
        if self.client.can_set_timestamps():
            start = int(time.time() * 1000) - 100_000
            self.client.produce(name, [Record(f"{n}".encode(), timestamp_ms=start + n * 1000) for n in range(60)])
            middle, late = start + 29_500, start + 60_000
        else:
            self.client.produce(name, [Record(f"{n}".encode()) for n in range(30)])
            time.sleep(0.1)
            middle = int(time.time() * 1000)
            time.sleep(0.1)
            self.client.produce(name, [Record(f"{n}".encode()) for n in range(30, 60)])
            late = int(time.time() * 1000) + 60_000
        found = self.client.offset_for_time(name, middle)
        check_equal(found, 30, "offset for the time")
        check_equal(self.client.offset_for_time(name, late), None, "offset after the last record")
        got = self.client.read(name, 30, offset=30)
        check_equal([g.value for g in got], [f"{n}".encode() for n in range(30, 60)], "values from the time on")

    # Admin calls.

    def alter_configs(self) -> None:
        name = self.topic("configs")
        self.client.alter_config(name, "retention.ms", "7654321")
        wait_until(lambda: self.client.config(name, "retention.ms") == "7654321", "the new retention.ms")

    def create_partitions(self) -> None:
        name = self.topic("grown")
        self.client.create_partitions(name, 3)
        wait_until(lambda: self.client.partition_count(name) == 3, "3 partitions")

    def delete_records(self) -> None:
        name = self.topic("trimmed")
        sent = self.records("trimmed", 20, 100)
        self.client.produce(name, sent)
        self.client.delete_records(name, 15)
        got = self.client.read(name, 5, offset=15)
        check_equal([g.offset for g in got], list(range(15, 20)), "offsets that are left")
        check_equal(self.client.offset_for_time(name, 0), 15, "first offset")

    def _group_with_commit(self, what: str) -> str:
        name = self.topic(what)
        self.client.produce(name, self.records(what, 5, 100))
        group = f"{what}-{self.suffix}"
        self.client.read_in_group(group, name, 5)
        return group

    def list_groups(self) -> None:
        group = self._group_with_commit("listed")
        wait_until(lambda: group in self.client.list_groups(), "the group in the list")

    def describe_group(self) -> None:
        name = self.topic("described-group", PARTITIONS)
        group = f"described-{self.suffix}"
        member = self.client.join(group, name)
        try:
            wait_until(lambda: len(member.assignment()) == PARTITIONS, "an assignment")
            found = self.client.describe_group(group)
            check_equal((found.state.lower(), found.members), ("stable", 1), "state and members")
        finally:
            member.leave()

    def delete_group(self) -> None:
        group = self._group_with_commit("deleted")
        wait_until(lambda: group in self.client.list_groups(), "the group in the list")
        self.client.delete_group(group)
        wait_until(lambda: group not in self.client.list_groups(), "the group gone")

    def delete_topic(self) -> None:
        name = self.topic("doomed")
        self.client.produce(name, [Record(b"last words")])
        wait_until(lambda: name in self.client.list_topics(), "the topic in the list")
        self.client.delete_topic(name)
        wait_until(lambda: name not in self.client.list_topics(), "the topic gone")


def _shared(first: Member, second: Member, everything: frozenset[int]) -> bool:
    one, two = first.assignment(), second.assignment()
    return bool(one) and bool(two) and not one & two and one | two == everything
