// kafkajs with short intervals, its codec plug-ins, and the few helpers that the cases share.
"use strict";

const { CompressionCodecs, CompressionTypes, Kafka, Partitioners, logLevel } = require("kafkajs");
const SnappyCodec = require("kafkajs-snappy");
const lz4 = require("lz4-napi");
const zstd = require("@bokuweb/zstd-wasm");
const { sleep } = require("./report");

const READ_LIMIT_MS = 20_000;
// Short enough that a rebalance takes about a second, above the 6 s that brokers demand at least.
const HEARTBEAT_MS = 500;
const SESSION_MS = 10_000;

// kafkajs carries gzip; the others are plug-ins, as its documentation prescribes.
CompressionCodecs[CompressionTypes.Snappy] = SnappyCodec;
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: (encoder) => lz4.compressFrame(encoder.buffer),
  decompress: (buffer) => lz4.decompressFrame(buffer),
});
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: async (encoder) => Buffer.from(zstd.compress(encoder.buffer, 3)),
  decompress: async (buffer) => Buffer.from(zstd.decompress(buffer)),
});

const CODECS = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
};

class Stock {
  static async connect(bootstrap) {
    await zstd.init();
    const stock = new Stock();
    stock.kafka = new Kafka({ brokers: [bootstrap], logLevel: logLevel.NOTHING });
    stock.admin = stock.kafka.admin();
    await stock.admin.connect();
    return stock;
  }

  async createTopic(topic, partitions) {
    await this.admin.createTopics({
      waitForLeaders: true,
      topics: [{ topic, numPartitions: partitions, replicationFactor: 1 }],
    });
    return topic;
  }

  /** Resolves when every message is acknowledged (or sent, with acks 0). */
  async produce(topic, messages, { acks = -1, codec = "none", idempotent = false } = {}) {
    const producer = this.kafka.producer({
      idempotent,
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    try {
      await producer.send({ topic, messages, acks, compression: CODECS[codec] });
    } finally {
      await producer.disconnect();
    }
  }

  /**
   * One producer that ends each transaction as it says. `offset` of a transaction may be
   * `{ group, topic, offset }`: how far a group has read partition 0.
   */
  async transact(transactionalId, transactions) {
    const producer = this.kafka.producer({
      transactionalId,
      idempotent: true,
      maxInFlightRequests: 1,
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    try {
      for (const { topic, messages, commits, offset } of transactions) {
        const transaction = await producer.transaction();
        await transaction.send({ topic, messages });
        if (offset) {
          const partitions = [{ partition: 0, offset: String(offset.offset) }];
          await transaction.sendOffsets({
            consumerGroupId: offset.group,
            topics: [{ topic: offset.topic, partitions }],
          });
        }
        await (commits ? transaction.commit() : transaction.abort());
      }
    } finally {
      await producer.disconnect();
    }
  }

  consumer(group) {
    return this.kafka.consumer({
      groupId: group,
      heartbeatInterval: HEARTBEAT_MS,
      sessionTimeout: SESSION_MS,
      rebalanceTimeout: SESSION_MS,
      maxWaitTimeInMs: 200,
      retry: { initialRetryTime: 100 },
    });
  }

  /**
   * `count` records of partition 0 from an offset, or fewer when time runs out. kafkajs reads only
   * in groups; a group of its own, which commits nothing, serves as a plain reader.
   */
  async read(topic, count, offset = 0) {
    const consumer = this.consumer(`reader-${topic}-${offset}`);
    await consumer.connect();
    try {
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      return await this.#collect(consumer, count, false, () =>
        consumer.seek({ topic, partition: 0, offset: String(offset) }),
      );
    } finally {
      await consumer.disconnect();
    }
  }

  /** Joins, reads exactly `count`, commits what was read, leaves. */
  async readInGroup(group, topic, count) {
    const consumer = this.consumer(group);
    await consumer.connect();
    try {
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      const got = await this.#collect(consumer, count, true);
      const next = String(Number(got.at(-1).offset) + 1);
      await consumer.commitOffsets([{ topic, partition: 0, offset: next }]);
      return got;
    } finally {
      await consumer.disconnect();
    }
  }

  async #collect(consumer, count, stopAtCount, started = () => {}) {
    const got = [];
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: async ({ batch, resolveOffset, pause }) => {
        for (const message of batch.messages) {
          if (got.length === count) break;
          got.push({ partition: batch.partition, ...message });
          resolveOffset(message.offset);
        }
        if (stopAtCount && got.length === count) pause();
      },
    });
    started();
    const deadline = Date.now() + READ_LIMIT_MS;
    while (got.length < count && Date.now() < deadline) await sleep(10);
    return got;
  }

  /** One consumer in a group, reading in the background and committing by itself. */
  async join(group, topic) {
    const consumer = this.consumer(group);
    const member = { assignment: [], values: new Set(), leave: () => consumer.disconnect() };
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      member.assignment = payload.memberAssignment[topic] ?? [];
    });
    consumer.on(consumer.events.REBALANCING, () => {
      member.assignment = [];
    });
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }) => {
        member.values.add(message.value.toString());
      },
    });
    return member;
  }
}

module.exports = { Stock };
