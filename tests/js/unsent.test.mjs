import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";

import { makeSender } from "../../static/js/choice/send.js";
import { makeUnsent } from "../../static/js/choice/unsent.js";
import { decodeChoice, encodeChoice } from "../../static/js/cookie.js";
import { readGolden, toFields } from "./golden.mjs";

const KEY = "slagboom-unsent";
const [, { site: SITE, choice }] = readGolden("choice_cookie");
/** @param {string} id @param {number} revision */
const makeDecision = (id, revision) => {
  const fields = toFields({ ...choice, revision, decision_id: id });
  return [encodeChoice(SITE, fields), { decision_id: id, revision, previous: null, choices: { gone: true } }];
};
const OLDER = makeDecision("0199a5d0-8c00-7abc-bdef-000000000001", 1);
const NEWER = makeDecision("0199a5d0-8c00-7abc-bdef-000000000002", 2);

/** The log's answers, in order, and what it was sent. @type {(number | Error)[]} */
let answers = [];
/** @type {any[]} */
let sent = [];

beforeEach(() => {
  answers = [];
  sent = [];
  globalThis.localStorage = {
    removeItem(name) {
      delete this[name];
    },
  };
  globalThis.fetch = async (address, { body }) => {
    sent.push(JSON.parse(body));
    const answer = answers.shift() ?? 201;
    if (answer instanceof Error) throw answer;
    return { status: answer };
  };
});
const { fetch: realFetch } = globalThis;
afterEach(() => {
  delete globalThis.localStorage;
  globalThis.fetch = realFetch;
});

const read = () => JSON.parse(localStorage[KEY] || "[]");
/** Sends all that waits, and is done when the log has answered the last. @param {number} count */
const sendAll = async (unsent, count) => {
  let left = count;
  await new Promise((done) => {
    const send = makeSender("https://kit.example/s/site/", unsent, () => {
      left -= 1;
      if (!left) done();
    });
    send();
    // What is on its way is not sent a second time.
    send();
  });
};

describe("decisions the log has not acknowledged", () => {
  test("of an older revision keep their ids and words, and go first", async () => {
    localStorage[KEY] = JSON.stringify([OLDER, NEWER]);
    const unsent = makeUnsent(SITE, decodeChoice);
    unsent.read();
    await sendAll(unsent, 2);

    assert.deepEqual(sent, [OLDER[1], NEWER[1]]);
    assert.equal(KEY in localStorage, false);
  });

  for (const failure of [new Error("offline"), 503]) {
    test(`wait in their order for the next page after ${failure}`, async () => {
      localStorage[KEY] = JSON.stringify([OLDER, NEWER]);
      answers = [failure];
      const unsent = makeUnsent(SITE, decodeChoice);
      unsent.read();
      await sendAll(unsent, 1);
      assert.deepEqual(sent, [OLDER[1]]);
      assert.deepEqual(read(), [OLDER, NEWER]);

      const onNextPage = makeUnsent(SITE, decodeChoice);
      onNextPage.read();
      await sendAll(onNextPage, 2);
      assert.deepEqual(sent, [OLDER[1], OLDER[1], NEWER[1]]);
      assert.deepEqual(read(), []);
    });
  }

  test("that the log refuses for good go, and hold up none behind them", async () => {
    localStorage[KEY] = JSON.stringify([OLDER, NEWER]);
    answers = [422, 201];
    const unsent = makeUnsent(SITE, decodeChoice);
    unsent.read();
    await sendAll(unsent, 2);

    assert.deepEqual(sent, [OLDER[1], NEWER[1]]);
    assert.deepEqual(read(), []);
  });

  test("are sent on the same page once there is a line again", async () => {
    localStorage[KEY] = JSON.stringify([OLDER, NEWER]);
    answers = [new Error("offline")];
    const unsent = makeUnsent(SITE, decodeChoice);
    unsent.read();
    let attempts = 0;
    const send = makeSender("https://kit.example/s/site/", unsent, () => {
      attempts += 1;
    });
    await send();
    await send();

    assert.equal(attempts, 3);
    assert.deepEqual(sent, [OLDER[1], OLDER[1], NEWER[1]]);
    assert.deepEqual(read(), []);
  });

  test("are sent along when another tab has kept one meanwhile", async () => {
    localStorage[KEY] = JSON.stringify([OLDER]);
    const unsent = makeUnsent(SITE, decodeChoice);
    unsent.read();
    localStorage[KEY] = JSON.stringify([OLDER, NEWER]);
    await sendAll(unsent, 2);

    assert.deepEqual(sent, [OLDER[1], NEWER[1]]);
    assert.deepEqual(read(), []);
  });

  test("are those of this site that can be read, and nothing else", () => {
    const [value] = OLDER;
    const unsent = makeUnsent(SITE, decodeChoice);
    for (const garbage of ["[1]", "{", "[[]]", '"text"', "null", "{}", '[[5, {}]]']) {
      localStorage[KEY] = garbage;
      assert.deepEqual(unsent.read(), [], garbage);
    }
    localStorage[KEY] = JSON.stringify([[`${value}x`, {}], ["1.2.3", {}], OLDER]);
    assert.deepEqual(unsent.read(), [OLDER]);
    assert.deepEqual(makeUnsent("another", decodeChoice).read(), []);
  });

  test("are kept in memory where storage is refused", async () => {
    Object.defineProperty(globalThis, "localStorage", {
      configurable: true,
      get: () => {
        throw new Error("SecurityError");
      },
    });
    const unsent = makeUnsent(SITE, decodeChoice);
    unsent.keep([...unsent.read(), NEWER]);
    await sendAll(unsent, 1);

    assert.deepEqual(sent, [NEWER[1]]);
    assert.deepEqual(unsent.waiting(), []);
  });
});
