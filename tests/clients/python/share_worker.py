"""A consumer of the trial of share groups: librdkafka's, by the same rules as ShareTrial.java.

usage: share_worker.py HOST:PORT TOPIC IDLE_POLLS NOTES
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from confluent_kafka import AcknowledgeType, KafkaException, Message, ShareConsumer

POLL_SECONDS = 0.5
# A pace at which kills fall into the middle.
PACE_SECONDS = 0.04


def answer(message: Message) -> AcknowledgeType:
    """Most records are accepted; some are put back when they come for the first time, others rejected always."""
    offset = message.offset()
    assert offset is not None
    if offset % 100 == 7:
        return AcknowledgeType.REJECT
    is_first = (message.delivery_count() or 1) == 1
    return AcknowledgeType.RELEASE if offset % 10 == 3 and is_first else AcknowledgeType.ACCEPT


def work(bootstrap: str, topic: str, idle_polls: int, notes_path: Path) -> None:
    """Notes what it accepts before it says so; ends when nothing comes any more."""
    settings = {
        "bootstrap.servers": bootstrap,
        "group.id": topic,
        "share.acknowledgement.mode": "explicit",
        "max.poll.records": 50,
    }
    consumer = ShareConsumer(settings)
    consumer.subscribe([topic])
    idle = 0
    with notes_path.open("a") as notes:
        while idle < idle_polls:
            try:
                messages = [message for message in consumer.poll(POLL_SECONDS) if message.error() is None]
            except KafkaException as error:
                # The broker is being killed and started again.
                print(error, file=sys.stderr)
                messages = []
            idle = 0 if messages else idle + 1
            answers = [(message, answer(message)) for message in messages]
            for message, kind in answers:
                if kind == AcknowledgeType.ACCEPT:
                    notes.write(f"{message.offset()}\n")
            notes.flush()
            for message, kind in answers:
                consumer.acknowledge(message, kind)
            time.sleep(PACE_SECONDS)
    consumer.close()
    print("done=1")


if __name__ == "__main__":
    work(sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))
