// The acceptance cases with kafkajs; names and order as in the other languages.
"use strict";

const crypto = require("node:crypto");
const { ConfigResourceTypes } = require("kafkajs");
const { Report, check, checkEqual, waitUntil } = require("./report");
const { Stock } = require("./stock");

const RECORDS = 200;
const PARTITIONS = 4;
const suffix = `kafkajs-${crypto.randomBytes(4).toString("hex")}`;

/** Half of each value repeats (so that codecs have work), half does not. */
function makeRecords(what, count, size) {
  return Array.from({ length: count }, (_, number) => ({
    partition: 0,
    key: Buffer.from(`key-${number}`),
    value: Buffer.concat([
      Buffer.from(`${what} ${number} `.repeat(Math.ceil(size / (2 * what.length + 8)))),
      crypto.randomBytes(size / 2),
    ]),
  }));
}

const same = (one, two) => (one === null || two === null ? one === two : one.equals(two));

/** Everything came back: same bytes, same order, offsets without a gap. */
function checkSame(got, sent, firstOffset = 0) {
  checkEqual(got.length, sent.length, "records read");
  got.forEach((record, i) => {
    checkEqual(Number(record.offset), firstOffset + i, "offset");
    check(same(record.value, sent[i].value), `value at offset ${record.offset} differs`);
    check(same(record.key, sent[i].key), `key at offset ${record.offset} differs`);
  });
}

class Cases {
  constructor(stock) {
    this.stock = stock;
    this.admin = stock.admin;
  }

  topic(what, partitions = 1) {
    return this.stock.createTopic(`${what}-${suffix}`, partitions);
  }

  // Topics and records.

  async createTopic() {
    const name = await this.topic("created", PARTITIONS);
    const sent = [{ partition: 0, key: null, value: Buffer.from("first") }];
    await this.stock.produce(name, sent);
    checkSame(await this.stock.read(name, 1), sent);
  }

  async listTopics() {
    await waitUntil("the topic in the list", async () =>
      (await this.admin.listTopics()).includes(`created-${suffix}`),
    );
  }

  async partitionCount(topic) {
    return (await this.admin.fetchTopicMetadata({ topics: [topic] })).topics[0].partitions.length;
  }

  async describeTopic() {
    const name = await this.topic("described", 3);
    await waitUntil("3 partitions", async () => (await this.partitionCount(name)) === 3);
  }

  async roundTrip(what, options) {
    const name = await this.topic(what);
    const sent = makeRecords(what, RECORDS, 1000);
    await this.stock.produce(name, sent, options);
    checkSame(await this.stock.read(name, RECORDS), sent);
  }

  async idempotent() {
    const name = await this.topic("idempotent");
    const sent = makeRecords("idempotent", 1000, 100);
    await this.stock.produce(name, sent.slice(0, 500), { idempotent: true });
    await this.stock.produce(name, sent.slice(500), { idempotent: true });
    checkSame(await this.stock.read(name, 1000), sent);
  }

  async headers() {
    const name = await this.topic("headers");
    const headers = { trace: "abc", twice: ["1", "2"], empty: "" };
    await this.stock.produce(name, [{ partition: 0, key: "k", value: "with headers", headers }]);
    const [got] = await this.stock.read(name, 1);
    const text = Object.entries(got.headers).map(([key, value]) => `${key}=${value}`);
    checkEqual(text, ["trace=abc", "twice=1,2", "empty="], "headers");
  }

  async nullKeyValue() {
    const name = await this.topic("nulls");
    const sent = [
      { partition: 0, key: null, value: Buffer.from("no key") },
      { partition: 0, key: Buffer.from("tombstone"), value: null },
      { partition: 0, key: Buffer.from("k"), value: Buffer.from("both") },
    ];
    await this.stock.produce(name, sent);
    checkSame(await this.stock.read(name, 3), sent);
  }

  // Groups.

  async feed(topic, phase, sent) {
    const messages = Array.from({ length: RECORDS }, (_, number) => ({
      partition: number % PARTITIONS,
      value: `${phase}-${number}`,
    }));
    await this.stock.produce(topic, messages);
    messages.forEach(({ value }) => sent.push(value));
  }

  /** A second member joins and leaves in the middle of a load; nothing is missed. */
  async groupRebalance() {
    const name = await this.topic("rebalance", PARTITIONS);
    const group = `rebalance-${suffix}`;
    const sent = [];
    const first = await this.stock.join(group, name);
    const members = [first];
    const ownsAll = () => first.assignment.length === PARTITIONS;
    try {
      await waitUntil("one member with every partition", ownsAll);
      await this.feed(name, "alone", sent);
      const second = await this.stock.join(group, name);
      members.push(second);
      await this.feed(name, "joining", sent);
      await waitUntil("two members that share the partitions", () => {
        const [one, two] = [first.assignment, second.assignment];
        const all = new Set([...one, ...two]);
        return one.length > 0 && two.length > 0 && one.length + two.length === PARTITIONS && all.size === PARTITIONS;
      });
      await this.feed(name, "both", sent);
      await waitUntil("records at the second member", () => second.values.size > 0);
      await members.pop().leave();
      await this.feed(name, "left", sent);
      await waitUntil("every partition back at the first member", ownsAll);
      await waitUntil("every record seen", () =>
        sent.every((value) => first.values.has(value) || second.values.has(value)),
      );
    } finally {
      await Promise.all(members.map((member) => member.leave()));
    }
  }

  async commitResume() {
    const name = await this.topic("resume");
    const sent = makeRecords("resume", 100, 100);
    await this.stock.produce(name, sent);
    checkSame(await this.stock.readInGroup(`resume-${suffix}`, name, 40), sent.slice(0, 40));
    checkSame(await this.stock.readInGroup(`resume-${suffix}`, name, 60), sent.slice(40), 40);
  }

  // Transactions.

  /** Two transactions are committed, one between them is aborted, and records of none follow. */
  async transaction() {
    const name = await this.topic("transaction");
    const [first, aborted, second, plain] = ["first", "aborted", "second", "plain"].map((what) =>
      makeRecords(what, 20, 100),
    );
    await this.stock.transact(name, [
      { topic: name, messages: first, commits: true },
      { topic: name, messages: aborted, commits: false },
      { topic: name, messages: second, commits: true },
    ]);
    await this.stock.produce(name, plain);
    const wanted = [...first, ...second, ...plain];
    // kafkajs reads committed records unless it is told otherwise.
    const got = await this.stock.read(name, wanted.length);
    checkEqual(got.length, wanted.length, "committed records");
    got.forEach((record, i) => check(same(record.value, wanted[i].value), `record at offset ${record.offset}`));
  }

  /** An offset counts for its group once its transaction is committed, and never if that is aborted. */
  async transactionOffsets() {
    const source = await this.topic("transaction-source");
    await this.stock.produce(source, makeRecords("source", 10, 100));
    const copies = await this.topic("transaction-copies");
    const group = `transaction-${suffix}`;
    const moved = (offset, commits) => ({
      topic: copies,
      messages: makeRecords("copy", 3, 100),
      commits,
      offset: { group, topic: source, offset },
    });
    const offsets = async (count) =>
      (await this.stock.readInGroup(group, source, count)).map(({ offset }) => offset);
    await this.stock.transact(group, [moved(4, true), moved(9, false)]);
    checkEqual(await offsets(3), ["4", "5", "6"], "offsets after a commit and an abort");
    await this.stock.transact(group, [moved(9, true)]);
    checkEqual(await offsets(1), ["9"], "offset after another commit");
  }

  async seekByTime() {
    const name = await this.topic("times");
    const start = Date.now() - 100_000;
    const sent = Array.from({ length: 60 }, (_, n) => ({
      partition: 0,
      key: null,
      value: Buffer.from(String(n)),
      timestamp: String(start + n * 1000),
    }));
    await this.stock.produce(name, sent);
    const [found] = await this.admin.fetchTopicOffsetsByTimestamp(name, start + 29_500);
    checkEqual(found.offset, "30", "offset for the time");
    // kafkajs answers with the end offset when nothing is that late.
    const [late] = await this.admin.fetchTopicOffsetsByTimestamp(name, start + 60_000);
    checkEqual(late.offset, "60", "offset after the last record");
    checkSame(await this.stock.read(name, 30, 30), sent.slice(30), 30);
  }

  // Admin calls.

  async alterConfigs() {
    const name = await this.topic("configs");
    const resource = { type: ConfigResourceTypes.TOPIC, name };
    const configEntries = [{ name: "retention.ms", value: "7654321" }];
    await this.admin.alterConfigs({ resources: [{ ...resource, configEntries }] });
    await waitUntil("the new retention.ms", async () => {
      const described = await this.admin.describeConfigs({ resources: [resource] });
      const entry = described.resources[0].configEntries.find((e) => e.configName === "retention.ms");
      return entry.configValue === "7654321";
    });
  }

  async createPartitions() {
    const name = await this.topic("grown");
    await this.admin.createPartitions({ topicPartitions: [{ topic: name, count: 3 }] });
    await waitUntil("3 partitions", async () => (await this.partitionCount(name)) === 3);
  }

  async deleteRecords() {
    const name = await this.topic("trimmed");
    const sent = makeRecords("trimmed", 20, 100);
    await this.stock.produce(name, sent);
    // kafkajs looks for the leader before it asks for the topic's metadata; this call makes it ask.
    await this.admin.fetchTopicOffsets(name);
    await this.admin.deleteTopicRecords({ topic: name, partitions: [{ partition: 0, offset: "15" }] });
    checkSame(await this.stock.read(name, 5, 15), sent.slice(15), 15);
    const [offsets] = await this.admin.fetchTopicOffsets(name);
    checkEqual(offsets.low, "15", "first offset");
  }

  async groupWithCommit(what) {
    const name = await this.topic(what);
    await this.stock.produce(name, makeRecords(what, 5, 100));
    await this.stock.readInGroup(`${what}-${suffix}`, name, 5);
    return `${what}-${suffix}`;
  }

  async isListed(group) {
    return (await this.admin.listGroups()).groups.some(({ groupId }) => groupId === group);
  }

  async listGroups() {
    const group = await this.groupWithCommit("listed");
    await waitUntil("the group in the list", () => this.isListed(group));
  }

  async describeGroup() {
    const name = await this.topic("described-group", PARTITIONS);
    const group = `described-${suffix}`;
    const member = await this.stock.join(group, name);
    try {
      await waitUntil("an assignment", () => member.assignment.length === PARTITIONS);
      const [found] = (await this.admin.describeGroups([group])).groups;
      checkEqual([found.state, found.members.length], ["Stable", 1], "state and members");
    } finally {
      await member.leave();
    }
  }

  async deleteGroup() {
    const group = await this.groupWithCommit("deleted");
    await waitUntil("the group in the list", () => this.isListed(group));
    await this.admin.deleteGroups([group]);
    await waitUntil("the group gone", async () => !(await this.isListed(group)));
  }

  async deleteTopic() {
    const name = await this.topic("doomed");
    await waitUntil("the topic in the list", async () => (await this.admin.listTopics()).includes(name));
    await this.admin.deleteTopics({ topics: [name] });
    await waitUntil("the topic gone", async () => !(await this.admin.listTopics()).includes(name));
  }
}

async function main() {
  if (process.argv.length !== 3) {
    console.error("usage: node kafkajs.js HOST:PORT");
    process.exit(2);
  }
  const report = new Report("kafkajs", require("kafkajs/package.json").version);
  const cases = new Cases(await Stock.connect(process.argv[2]));
  await report.run("create_topic", () => cases.createTopic());
  await report.run("list_topics", () => cases.listTopics());
  await report.run("describe_topic", () => cases.describeTopic());
  for (const codec of ["none", "gzip", "snappy", "lz4", "zstd"]) {
    await report.run(`codec_${codec}`, () => cases.roundTrip(`codec-${codec}`, { codec }));
  }
  for (const [name, acks] of [["0", 0], ["1", 1], ["all", -1]]) {
    await report.run(`acks_${name}`, () => cases.roundTrip(`acks-${name}`, { acks }));
  }
  await report.run("idempotent", () => cases.idempotent());
  await report.run("headers", () => cases.headers());
  await report.run("null_key_value", () => cases.nullKeyValue());
  await report.run("group_rebalance", () => cases.groupRebalance());
  await report.run("commit_resume", () => cases.commitResume());
  await report.run("transaction", () => cases.transaction());
  await report.run("transaction_offsets", () => cases.transactionOffsets());
  await report.run("seek_by_time", () => cases.seekByTime());
  await report.run("alter_configs", () => cases.alterConfigs());
  await report.run("create_partitions", () => cases.createPartitions());
  await report.run("delete_records", () => cases.deleteRecords());
  await report.run("list_groups", () => cases.listGroups());
  await report.run("describe_group", () => cases.describeGroup());
  await report.run("delete_group", () => cases.deleteGroup());
  await report.run("delete_topic", () => cases.deleteTopic());
  report.finish();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
