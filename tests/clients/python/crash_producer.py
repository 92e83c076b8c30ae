"""Produces with librdkafka while its broker is killed and restarted.

Writes a line `<partition> <offset> <value>` for each acknowledged record and `ERROR <value>
<reason>` for one that failed for good: with a broker that keeps its promises there is none,
because nothing here has a time limit. Runs until SIGTERM, then waits for what is in flight.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import time
from typing import TextIO

from confluent_kafka import KafkaError, Message, Producer

TICK_SECONDS = 0.01
FLUSH_LIMIT_SECONDS = 30.0
PADDING_MAX = 400
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--partitions", type=int, required=True)
    parser.add_argument("--name", required=True, help="prefix of every value; unique among the producers")
    parser.add_argument("--acked", required=True, help="file that acknowledged records are written to")
    parser.add_argument("--rate", type=int, default=1000, help="records per second")
    parser.add_argument("--idempotent", action="store_true")
    return parser.parse_args()


class Load:
    """One producer and its journal."""

    def __init__(self, settings: argparse.Namespace, journal: TextIO) -> None:
        self._settings = settings
        self._journal = journal
        self._number = 0
        self._running = True
        self._producer = Producer(
            {
                "bootstrap.servers": settings.bootstrap,
                "acks": "all",
                "enable.idempotence": settings.idempotent,
                "message.timeout.ms": 0,
                "message.send.max.retries": 2147483647,
                "linger.ms": 5,
                "compression.type": random.choice(CODECS),
                "reconnect.backoff.max.ms": 200,
                "queue.buffering.max.messages": 20_000,
            }
        )
        signal.signal(signal.SIGTERM, self._stop)

    def _stop(self, _signal: int, _frame: object) -> None:
        self._running = False

    def _done(self, error: KafkaError | None, message: Message) -> None:
        key = message.key().decode()
        if error is not None:
            self._journal.write(f"ERROR {key} {error}\n")
        else:
            self._journal.write(f"{message.partition()} {message.offset()} {key}\n")

    def _produce_one(self) -> None:
        value = f"{self._settings.name}-{self._number}"
        try:
            self._producer.produce(
                self._settings.topic,
                key=value,
                value="x" * random.randrange(PADDING_MAX),
                partition=random.randrange(self._settings.partitions),
                on_delivery=self._done,
            )
        except BufferError:
            return  # The broker is away and the queue is full: this value was never sent.
        finally:
            self._number += 1

    def run(self) -> int:
        """Produces at the rate until told to stop; returns how many records stayed in flight."""
        per_tick = max(1, int(self._settings.rate * TICK_SECONDS))
        due = time.monotonic()
        while self._running:
            for _ in range(per_tick):
                self._produce_one()
            self._producer.poll(0)
            self._journal.flush()
            due = max(due + TICK_SECONDS, time.monotonic() - 1)
            time.sleep(max(0.0, due - time.monotonic()))
        return int(self._producer.flush(FLUSH_LIMIT_SECONDS))


def main() -> None:
    settings = parse()
    with open(settings.acked, "w", encoding="ascii") as journal:
        left = Load(settings, journal).run()
    if left:
        sys.exit(f"{left} records are still in flight after {FLUSH_LIMIT_SECONDS:.0f} s")


if __name__ == "__main__":
    main()
