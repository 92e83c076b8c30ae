"""Copies a topic exactly once with confluent-kafka (librdkafka). What a copier is: go/internal/copier."""

import argparse
import random
import sys
import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

RECORDS_MAX = 200
POLL_S = 0.2
PAUSE_S = 0.2
CALL_LIMIT_S = 60


def arguments():
    parser = argparse.ArgumentParser()
    for name in ("bootstrap", "name", "input", "output", "journal"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--partitions", type=int, required=True)
    parser.add_argument("--abort-percent", type=int, default=0)
    return parser.parse_args()


class Copier:
    """One consumer and one producer; thrown away after any error that does not pass by itself."""

    def __init__(self, args, journal):
        self.args = args
        self.journal = journal
        common = {
            "bootstrap.servers": args.bootstrap,
            "reconnect.backoff.max.ms": 200,
            # With the default, librdkafka lets go of its only broker when that is away for a moment, and then
            # waits for ever for the handle to end.
            "metadata.recovery.strategy": "none",
        }
        self.consumer = Consumer(
            common
            | {
                "group.id": args.name + "-group",
                "group.instance.id": args.name,
                "session.timeout.ms": 6000,
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
            }
        )
        self.producer = Producer(
            common | {"transactional.id": args.name, "transaction.timeout.ms": 10000, "linger.ms": 5}
        )

    def run(self):
        self.producer.init_transactions(CALL_LIMIT_S)
        self.consumer.subscribe([self.args.input])
        while True:
            messages = self.consumer.consume(RECORDS_MAX, POLL_S)
            records = [message for message in messages if message.error() is None]
            if records:
                self.copy(records)

    def copy(self, records):
        intent = "abort" if random.randrange(100) < self.args.abort_percent else "commit"
        self.producer.begin_transaction()
        try:
            for record in records:
                self.producer.produce(self.args.output, key=record.key(), value=intent)
                self.producer.poll(0)
            positions = self.consumer.position(self.consumer.assignment())
            read = [position for position in positions if position.offset >= 0]
            self.producer.send_offsets_to_transaction(
                read, self.consumer.consumer_group_metadata(), CALL_LIMIT_S
            )
            if intent == "abort":
                self.producer.abort_transaction(CALL_LIMIT_S)
                self.rewind()
            else:
                self.producer.commit_transaction(CALL_LIMIT_S)
        except KafkaException as failure:
            if not failure.args[0].txn_requires_abort():
                raise
            log(f"abort: {failure}")
            self.producer.abort_transaction(CALL_LIMIT_S)
            self.rewind()
            return
        self.journal.write(f"{intent} {len(records)}\n")
        self.journal.flush()

    def rewind(self):
        """Back to what is committed: the records of an aborted transaction are copied again."""
        for partition in self.consumer.committed(self.consumer.assignment(), CALL_LIMIT_S):
            offset = partition.offset if partition.offset >= 0 else 0
            self.consumer.seek(TopicPartition(partition.topic, partition.partition, offset))

    def close(self):
        # The static member stays in its group, for whoever comes next.
        self.consumer.close()


def log(what):
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


def main():
    args = arguments()
    with open(args.journal, "a", encoding="ascii") as journal:
        while True:
            copier = Copier(args, journal)
            try:
                copier.run()
            except KafkaException as failure:
                log(f"begin anew: {failure}")
            copier.close()
            time.sleep(PAUSE_S)


if __name__ == "__main__":
    main()
