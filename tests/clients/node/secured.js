// kafkajs against a broker that asks who its clients are: arguments are the directory of certificates, and the ports of SSL,
// SASL_PLAINTEXT and SASL_SSL. The topic and the rules were made by the Python program, which runs before.
"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { Kafka, logLevel } = require("kafkajs");

const TOPIC = "open-t";
const READ_LIMIT_MS = 30_000;
const [dir, ssl, plaintext, saslSsl] = process.argv.slice(2);
const file = (name) => fs.readFileSync(path.join(dir, name), "utf8");
const trusting = { ca: [file("ca.pem")] };

/** A token that nobody has signed: what the broker is told to take in this run, and never otherwise. */
function unsigned(subject, seconds) {
  const part = (claims) => Buffer.from(JSON.stringify(claims)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  return `${part({ alg: "none" })}.${part({ sub: subject, iat: now - 3600, exp: now + seconds })}.`;
}

const login = (mechanism, username, password) => ({
  brokers: [`localhost:${saslSsl}`],
  ssl: trusting,
  sasl: { mechanism, username, password },
});

const bearer = (seconds) => ({
  ...login("oauthbearer"),
  sasl: { mechanism: "oauthbearer", oauthBearerProvider: async () => ({ value: unsigned("alice", seconds) }) },
});

const certificate = (name) => ({
  brokers: [`localhost:${ssl}`],
  ssl: { ...trusting, cert: file(`${name}.pem`), key: file(`${name}.key`) },
});

/** Writes a value and reads it back; how it ended. */
async function roundTrip(options, group) {
  const kafka = new Kafka({ ...options, logLevel: logLevel.NOTHING, retry: { retries: 1, initialRetryTime: 50 } });
  const [producer, consumer] = [kafka.producer(), kafka.consumer({ groupId: group })];
  const value = crypto.randomBytes(8).toString("hex");
  try {
    await producer.connect();
    await producer.send({ topic: TOPIC, messages: [{ value }] });
    await consumer.connect();
    await consumer.subscribe({ topics: [TOPIC], fromBeginning: true });
    return await new Promise((resolve, reject) => {
      setTimeout(() => reject(new Error("nothing came")), READ_LIMIT_MS).unref();
      const eachMessage = async ({ message }) => message.value.toString() === value && resolve("ok");
      consumer.run({ eachMessage }).catch(reject);
    });
  } catch (error) {
    return outcome(error);
  } finally {
    await producer.disconnect().catch(() => {});
    await consumer.disconnect().catch(() => {});
  }
}

function outcome(error) {
  const causes = [];
  for (let one = error; one; one = one.cause ?? one.originalError) causes.push(one);
  const some = (holds) => causes.some(holds);
  if (some((one) => one.name === "KafkaJSSASLAuthenticationError")) return "the login is refused";
  if (some((one) => one.name === "KafkaJSConnectionClosedError")) return "the connection is closed";
  if (some((one) => one.type === "TOPIC_AUTHORIZATION_FAILED")) return "the topic is refused";
  const text = causes.map((one) => `${one.name} ${one.type ?? ""} ${one.code ?? ""} ${one.message}`).join(": ");
  return /certificate|SSL|alert|self.signed/i.test(text) ? "the certificate is refused" : text;
}

const CASES = [
  ["SCRAM-SHA-512", login("scram-sha-512", "alice", "alice-secret"), "ok"],
  ["SCRAM-SHA-256", login("scram-sha-256", "alice", "alice-secret"), "ok"],
  ["PLAIN", login("plain", "alice", "alice-secret"), "ok"],
  [
    "SASL_PLAINTEXT",
    { ...login("scram-sha-512", "alice", "alice-secret"), brokers: [`localhost:${plaintext}`], ssl: false },
    "ok",
  ],
  ["OAUTHBEARER", bearer(600), "ok"],
  // A token is refused in two steps; this client takes the first for a success, and finds the connection closed.
  ["expired-OAUTHBEARER", bearer(-600), "the connection is closed"],
  ["certificate", certificate("alice"), "ok"],
  ["no-certificate", { brokers: [`localhost:${ssl}`], ssl: trusting }, "the topic is refused"],
  ["strange-certificate", certificate("stranger"), "the certificate is refused"],
  [
    "strange-broker",
    { ...login("scram-sha-512", "alice", "alice-secret"), ssl: { ca: [file("stranger.pem")] } },
    "the certificate is refused",
  ],
  ["wrong-password-SCRAM-SHA-512", login("scram-sha-512", "alice", "wrong"), "the login is refused"],
  ["wrong-password-SCRAM-SHA-256", login("scram-sha-256", "alice", "wrong"), "the login is refused"],
  ["wrong-password-PLAIN", login("plain", "alice", "wrong"), "the login is refused"],
  ["without-rights", login("scram-sha-512", "bob", "bob-secret"), "the topic is refused"],
];

async function main() {
  let failed = false;
  for (const [name, options, expected] of CASES) {
    const found = await roundTrip(options, `kafkajs-${name}`);
    failed ||= found !== expected;
    console.log(`CASE kafkajs-${name} ${found === expected ? "ok" : `fail ${found}`}`);
  }
  process.exit(failed ? 1 : 0);
}

main();
