"""What the cases ask of a client library: the seam between `cases.py` and the adapters.

An adapter translates, it never judges. Each call blocks for a bounded time and raises when the
library reports an error; what the library does not have raises `Skip`.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from harness import Skip

# Short enough that a rebalance takes about a second, above the 6 s that brokers demand at least.
HEARTBEAT_MS = 500
SESSION_MS = 10_000
CALL_LIMIT_SECONDS = 20.0


@dataclass(frozen=True)
class Record:
    """What is to be produced."""

    value: bytes | None
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()
    timestamp_ms: int | None = None
    partition: int = 0


@dataclass(frozen=True)
class Fetched:
    """What was consumed."""

    partition: int
    offset: int
    value: bytes | None
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()
    timestamp_ms: int = -1


@dataclass(frozen=True)
class Transaction:
    """Records of partition 0 of a topic, perhaps with an offset of a group for partition 0 of another."""

    topic: str
    records: Sequence[Record]
    commits: bool
    # Group, topic and offset.
    offset: tuple[str, str, int] | None = None


@dataclass(frozen=True)
class Group:
    """A consumer group as the broker describes it."""

    state: str
    members: int


class Member(ABC):
    """One consumer in a group, polling in the background and committing by itself."""

    @abstractmethod
    def assignment(self) -> frozenset[int]:
        """The partitions it owns now."""

    @abstractmethod
    def values(self) -> frozenset[bytes]:
        """Every value it has seen so far."""

    @abstractmethod
    def leave(self) -> None:
        """Commits, leaves the group and closes."""


class StockClient(ABC):
    """One client library against one broker."""

    name: str
    version: str
    codecs: frozenset[str]
    # False for clients that are fed with lines of text.
    binary_values = True

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap

    @abstractmethod
    def create_topic(self, topic: str, partitions: int) -> None: ...

    @abstractmethod
    def produce(
        self,
        topic: str,
        records: Sequence[Record],
        *,
        acks: str = "all",
        codec: str = "none",
        idempotent: bool = False,
    ) -> None:
        """Returns when every record is acknowledged (or sent, with acks=0)."""

    @abstractmethod
    def read(self, topic: str, count: int, offset: int = 0) -> list[Fetched]:
        """`count` records of partition 0 from `offset`, or fewer when time runs out."""

    @abstractmethod
    def read_in_group(self, group: str, topic: str, count: int) -> list[Fetched]:
        """Joins, reads exactly `count`, commits what was read, leaves."""

    @abstractmethod
    def join(self, group: str, topic: str) -> Member: ...

    def transact(self, transactional_id: str, transactions: Sequence[Transaction]) -> None:
        """One producer that ends each transaction as it says; what is aborted was written before."""
        raise Skip("no transactions")

    def read_committed(self, topic: str, count: int) -> list[Fetched]:
        """Like `read` from the first offset on, with the isolation level read_committed."""
        raise Skip("no reading of committed records")

    def offset_for_time(self, topic: str, timestamp_ms: int) -> int | None:
        """The first offset of partition 0 at or after the time; None when there is none."""
        raise Skip("no look-up by time")

    def can_set_timestamps(self) -> bool:
        return True

    def list_topics(self) -> set[str]:
        raise Skip("no list of topics")

    def partition_count(self, topic: str) -> int:
        raise Skip("no description of topics")

    def alter_config(self, topic: str, name: str, value: str) -> None:
        raise Skip("no altering of configs")

    def config(self, topic: str, name: str) -> str:
        raise Skip("no description of configs")

    def create_partitions(self, topic: str, total: int) -> None:
        raise Skip("no creation of partitions")

    def delete_records(self, topic: str, before_offset: int) -> None:
        raise Skip("no deletion of records")

    def list_groups(self) -> set[str]:
        raise Skip("no list of groups")

    def describe_group(self, group: str) -> Group:
        raise Skip("no description of groups")

    def delete_group(self, group: str) -> None:
        raise Skip("no deletion of groups")

    def delete_topic(self, topic: str) -> None:
        raise Skip("no deletion of topics")


def bootstrap_from_arguments() -> str:
    """The one argument that every program takes."""
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} HOST:PORT")
    return sys.argv[1]
