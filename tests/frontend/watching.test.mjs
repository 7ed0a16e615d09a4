/** Watching a job, as far as it needs no page: what is left by the stages' usual times, and a line that is lost and found. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { found } from "../../frontend/checked.js";
import { toGo } from "../../frontend/estimates.js";
import { follow } from "../../frontend/live.js";
import { news } from "../../frontend/news.js";
import { span, took } from "../../frontend/spans.js";

const NOON = Date.parse("2026-11-01T12:00:00.000Z");

function lines(now, usual = {}) {
  const codes = ["received", "waited", "cut_out", "built", "checked", "photo_destroyed", "delivered", "destroyed"];
  return codes.map((code, place) => ({
    code,
    label: code,
    state: place < codes.indexOf(now) ? "done" : code === now ? "now" : "next",
    began: code === now ? new Date(NOON).toISOString() : null,
    at: null,
    usual: { waited: 4, cut_out: 2, built: 9, checked: 1, photo_destroyed: 0.5, delivered: null, destroyed: 3, ...usual }[code] ?? null,
  }));
}

test("what is left is what usually remains; destroying and the person's part are not in it", () => {
  assert.deepEqual(toGo(lines("waited"), NOON), { state: "known", seconds: 16.5 });
  assert.deepEqual(toGo(lines("built"), NOON + 4000), { state: "known", seconds: 6.5 });
  assert.deepEqual(toGo(lines("built"), NOON - 60_000), { state: "known", seconds: 10.5 }, "a clock that is behind");
});

test("what is late is said to be late, and what nobody knows to be unknown", () => {
  assert.deepEqual(toGo(lines("built"), NOON + 12_000), { state: "known", seconds: 1.5 }, "a little over is no news");
  assert.deepEqual(toGo(lines("built"), NOON + 13_000), { state: "late", seconds: 9 });
  assert.deepEqual(toGo(lines("cut_out", { built: null }), NOON), { state: "unknown" });
  assert.deepEqual(toGo(lines("waited", { waited: null }), NOON), { state: "unknown" });
  assert.deepEqual(toGo(lines("cut_out", { cut_out: null, checked: null }), NOON), { state: "known", seconds: 9.5 });
});

test("times are as rough as they are known", () => {
  const said = [0.2, 8.4, 89, 90, 200, 5399, 7300].map(span);
  assert.deepEqual(said, ["1 s", "8 s", "89 s", "2 min", "3 min", "90 min", "2 h"]);
  assert.deepEqual([4.13, 59.96, 61, 1800].map(took), ["4.1 s", "60.0 s", "61 s", "30 min"]);
});

test("a receipt passes only when it is this job's, the printed one, and nothing about it fails", () => {
  const judged = { receipt: { job: "mine" }, digest: "d1", checks: [{ name: "signature", state: "ok", word: "" }] };
  const entry = { name: "inclusion", state: "ok", word: "", values: { number: 3, size: 9 } };
  assert.deepEqual(found(judged, "mine", "d1"), { state: "ok" });
  assert.deepEqual(found({ ...judged, checks: [entry] }, "mine", "d1"), { state: "logged", values: entry.values });
  assert.deepEqual(found(judged, "another", "d1"), { state: "failed", why: "other" });
  assert.deepEqual(found(judged, "mine", "d2"), { state: "failed", why: "paper" });
  const failed = [entry, { name: "consistency", state: "failed", word: "" }];
  assert.deepEqual(found({ ...judged, checks: failed }, "mine", "d1"), { state: "failed", why: "consistency" });
});

test("only who asked and looks elsewhere is told, and only of what they did not do themselves", () => {
  const ready = { final: false, outcome: "", can_cancel: true, asset: {}, stage: "deliver" };
  const failed = { ...ready, outcome: "failed", asset: null };
  assert.equal(news(ready, { wished: true, hidden: true }), "ready");
  assert.equal(news(failed, { wished: true, hidden: true }), "no-model");
  assert.equal(news(ready, { wished: true, hidden: false }), "");
  assert.equal(news(ready, { wished: false, hidden: true }), "");
  assert.equal(news({ ...failed, outcome: "cancelled" }, { wished: true, hidden: true }), "");
});

/** A browser as far as `follow` sees it. */
class Browser {
  constructor(t) {
    t.mock.timers.enable({ apis: ["setInterval", "setTimeout", "Date"], now: NOON });
    this.timers = t.mock.timers;
    this.streams = [];
    this.asked = 0;
    this.state = { stage: "watch", percent: 20, final: false };
    this.reachable = true;
    this.reloaded = 0;
    const streams = this.streams;
    globalThis.EventSource = class extends EventTarget {
      static OPEN = 1;
      readyState = 1;
      constructor() {
        super();
        streams.push(this);
      }
      close() {
        this.readyState = 2;
      }
      say(state) {
        const event = new Event("state");
        event.data = JSON.stringify(state);
        this.dispatchEvent(event);
      }
    };
    globalThis.window = new EventTarget();
    globalThis.window.location = { reload: () => (this.reloaded += 1) };
    globalThis.document = new EventTarget();
    globalThis.document.visibilityState = "visible";
    globalThis.fetch = async () => {
      this.asked += 1;
      if (!this.reachable) throw new TypeError("no connection");
      return { ok: true, status: 200, redirected: false, text: async () => JSON.stringify(this.state), ...this.answer };
    };
    this.told = [];
    this.line = [];
    follow({ events: "/e", state: "/s" }, (state) => this.told.push(state), (online) => this.line.push(online));
    this.stream.say(this.state);
  }

  get stream() {
    return this.streams.at(-1);
  }

  async settle() {
    for (let turn = 0; turn < 12; turn += 1) await Promise.resolve();
  }
}

test("a stream that died without a word is found out and replaced", async (t) => {
  const browser = new Browser(t);
  browser.timers.tick(29_000);
  await browser.settle();
  assert.equal(browser.asked, 0, "a stream that speaks is not doubted");
  browser.state = { stage: "inspect", percent: 90, final: false };
  browser.timers.tick(4000);
  await browser.settle();
  assert.equal(browser.told.at(-1).stage, "inspect");
  assert.equal(browser.streams.length, 2);
  assert.equal(browser.streams[0].readyState, 2, "the dead one is closed");
});

test("whoever opens the laptop after an hour sees the present at once", async (t) => {
  const browser = new Browser(t);
  browser.state = { stage: "deliver", percent: 100, final: false };
  browser.timers.setTime(NOON + 3_600_000);
  document.dispatchEvent(new Event("visibilitychange"));
  await browser.settle();
  assert.equal(browser.told.at(-1).stage, "deliver");
});

test("a stream from before the device slept is not relied on", async (t) => {
  const browser = new Browser(t);
  browser.timers.tick(60_000); // as a hidden tab
  await browser.settle();
  assert.equal(browser.streams.length, 1);
  browser.timers.setTime(NOON + 3_600_000);
  browser.timers.tick(2000);
  assert.equal(browser.streams.length, 2);
});

test("a line that is lost is said to be, and found again", async (t) => {
  const browser = new Browser(t);
  browser.reachable = false;
  browser.stream.readyState = 0;
  browser.stream.dispatchEvent(new Event("error"));
  await browser.settle();
  assert.equal(browser.line.at(-1), false);
  browser.reachable = true;
  browser.timers.tick(2000);
  await browser.settle();
  assert.equal(browser.line.at(-1), true);
  window.dispatchEvent(new Event("offline"));
  assert.equal(browser.line.at(-1), false);
  const streams = browser.streams.length;
  window.dispatchEvent(new Event("online"));
  assert.equal(browser.streams.length, streams + 1, "the network may be another one");
  browser.stream.say({ stage: "over", percent: 100, final: true });
  assert.equal(browser.line.at(-1), true);
  const asked = browser.asked;
  browser.timers.tick(600_000);
  await browser.settle();
  assert.equal(browser.asked, asked, "what is over is not asked for");
  assert.equal(browser.stream.readyState, 2);
});

test("an answer that the stream overtook is dropped; a stranger's answer leads to the sign-in", async (t) => {
  const browser = new Browser(t);
  document.dispatchEvent(new Event("visibilitychange"));
  browser.stream.say({ stage: "settle", percent: 95, final: false });
  await browser.settle();
  assert.deepEqual(browser.told.map(({ stage }) => stage), ["watch", "settle"]);
  browser.answer = { redirected: true };
  document.dispatchEvent(new Event("visibilitychange"));
  await browser.settle();
  assert.equal(browser.reloaded, 1);
});
