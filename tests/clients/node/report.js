// Runs named cases and prints one `CASE` line for each; knows nothing of Kafka.
//
// Every case runs under its own time limit and the program under another, so that a dead broker
// costs a failed line and never a hang.
"use strict";

const CASE_LIMIT_MS = 40_000;
const PROGRAM_LIMIT_MS = 400_000;
const WAIT_LIMIT_MS = 20_000;
const REASON_CHARS_MAX = 300;

/** Thrown when the client lacks a feature; the text says which. */
class Skip extends Error {}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function check(holds, promise) {
  if (!holds) throw new Error(promise);
}

function checkEqual(found, wanted, what) {
  const [one, two] = [JSON.stringify(found), JSON.stringify(wanted)];
  check(one === two, `${what}: found ${one.slice(0, 120)}, wanted ${two.slice(0, 120)}`);
}

/** Polls a condition until it holds; fails the case after the limit. */
async function waitUntil(what, condition, limitMs = WAIT_LIMIT_MS) {
  const deadline = Date.now() + limitMs;
  while (!(await condition())) {
    check(Date.now() < deadline, `waited ${limitMs} ms in vain: ${what}`);
    await sleep(20);
  }
}

class Report {
  constructor(client, version) {
    this.failed = false;
    this.deadline = Date.now() + PROGRAM_LIMIT_MS;
    console.log(`VERSION ${client} ${version}`);
  }

  async run(name, body) {
    const began = Date.now();
    const limitMs = Math.max(0, Math.min(CASE_LIMIT_MS, this.deadline - began));
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error("time limit")), limitMs);
    });
    try {
      await Promise.race([body(), late]);
      console.log(`CASE ${name} ok`);
    } catch (error) {
      const status = error instanceof Skip ? "skip" : "fail";
      this.failed ||= status === "fail";
      const reason = String(error.message).split(/\s+/).join(" ").slice(0, REASON_CHARS_MAX);
      console.log(`CASE ${name} ${status} ${reason}`);
    } finally {
      clearTimeout(timer);
      console.error(`${name}: ${((Date.now() - began) / 1000).toFixed(1)} s`);
    }
  }

  /** Ends the process at once: connections of timed-out cases must not keep it alive. */
  finish() {
    process.exit(this.failed ? 1 : 0);
  }
}

module.exports = { Report, Skip, check, checkEqual, sleep, waitUntil };
