import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";

import {
  decodeChoice,
  encodeChoice,
  FLAGS,
  GIVEN,
  isInForce,
  LIFETIME_DAYS,
  PURPOSES,
  readChoice,
  readCookies,
  SCOPE,
  SERVICES,
} from "../../static/js/cookie.js";
import { decide } from "../../static/js/decide.js";
import { readGolden, toFields } from "./golden.mjs";

const DAY = 86400;
const CASES = readGolden("choice_cookie").map(({ choice, ...rest }) => ({
  ...rest,
  choice: toFields(choice),
}));
const { site: SITE, choice: CHOICE, cookie: COOKIE } = CASES[1];
const GIVEN_SECONDS = +CHOICE[GIVEN];
const DAYS = +CHOICE[LIFETIME_DAYS];
const CONFIG = {
  scope: CHOICE[SCOPE],
  days: DAYS,
  purposes: ["statistics", "marketing"],
  necessary: {},
  services: [{ id: "counter" }, { id: "heatmap" }, { id: "visitors" }],
};
// What a cookie may hold, and what its neighbours and a broken client might.
const CHARACTERS = [..." !\"%,-.;=_|é0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"];

describe("the codec", () => {
  for (const { name, site, choice, cookie } of CASES) {
    test(`writes the shared case: ${name}`, () => {
      assert.equal(encodeChoice(site, choice), cookie);
    });

    test(`reads the shared case: ${name}`, () => {
      assert.deepEqual(decodeChoice(site, cookie), choice);
    });
  }

  test("stays under 200 bytes with the most a policy may hold", () => {
    const longest = Math.max(...CASES.map(({ cookie }) => cookie.length));

    assert.ok(longest < 200, `${longest} bytes`);
    assert.ok(CASES.some(({ choice }) => choice[PURPOSES].length === 20 && choice[SERVICES].length === 60));
  });
});

describe("a cookie that is not as it was written", () => {
  for (const { name, site, cookie } of CASES) {
    test(`grants nothing with any one character changed: ${name}`, () => {
      for (let at = 0; at < cookie.length; at += 1) {
        for (const character of CHARACTERS) {
          if (character === cookie[at]) continue;
          const changed = cookie.slice(0, at) + character + cookie.slice(at + 1);
          assert.equal(decodeChoice(site, changed), null, changed);
        }
      }
    });

    test(`grants nothing when cut, lengthened or with a part missing: ${name}`, () => {
      for (let at = 0; at < cookie.length; at += 1) {
        assert.equal(decodeChoice(site, cookie.slice(0, at)), null);
        assert.equal(decodeChoice(site, cookie.slice(at + 1)), null);
        assert.equal(decodeChoice(site, cookie.slice(0, at) + cookie.slice(at + 1)), null);
      }
      for (const character of CHARACTERS) {
        assert.equal(decodeChoice(site, cookie + character), null);
        assert.equal(decodeChoice(site, character + cookie), null);
      }
    });

    test(`grants nothing on another site: ${name}`, () => {
      for (const other of ["", "soft4do", `${site}x`, site.toUpperCase()]) {
        assert.equal(decodeChoice(other, cookie), null);
      }
    });
  }

  test("grants nothing when two of its parts changed places", () => {
    const parts = COOKIE.split(".");
    [parts[7], parts[8]] = [parts[8], parts[7]];

    assert.equal(decodeChoice(SITE, parts.join(".")), null);
  });

  /** The checksum is no signature: these carry the right one and are still no choice.
   * @param {string} payload */
  const sign = (payload) => {
    let hash = 0x811c9dc5;
    for (const character of `${SITE}|${payload}`) {
      hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
    }
    return `${payload}.${(hash >>> 0).toString(36)}`;
  };
  const PAYLOAD = COOKIE.slice(0, COOKIE.lastIndexOf("."));

  test("is what these tests can sign", () => {
    assert.equal(sign(PAYLOAD), COOKIE);
  });

  test("grants nothing in another format's version", () => {
    for (const version of ["0", "2", "11", ""]) {
      assert.equal(decodeChoice(SITE, sign(version + PAYLOAD.slice(1))), null);
    }
  });

  test("grants nothing with fewer parts than a choice has", () => {
    const parts = PAYLOAD.split(".");
    for (let count = 0; count < parts.length; count += 1) {
      assert.equal(decodeChoice(SITE, sign(parts.slice(0, count).join("."))), null);
    }
  });

  test("is never in force when its numbers are none", () => {
    const wrong = [[SCOPE, "0BADCAFE"]];
    for (const text of ["x", "", "-1", "1e999", "Infinity", "NaN"]) {
      wrong.push([GIVEN, text], [LIFETIME_DAYS, text]);
    }
    for (const [at, text] of wrong) {
      const parts = PAYLOAD.split(".");
      parts[at] = text;
      const forged = sign(parts.join("."));
      const choice = decodeChoice(SITE, forged);
      assert.ok(!choice || !isInForce(CONFIG, choice, GIVEN_SECONDS * 1000), forged);
    }
  });

  test("grants no more with bits that are neither yes nor no", () => {
    const parts = PAYLOAD.split(".");
    parts[PURPOSES] = "2x";
    parts[SERVICES] = "01é";
    parts[FLAGS] = "9";
    const choice = decodeChoice(SITE, sign(parts.join(".")));
    const needy = CONFIG.services.map((service) => ({ ...service, full_ip: true }));

    assert.deepEqual({ ...decide(CONFIG, choice) }, {
      statistics: false,
      marketing: false,
      counter: false,
      heatmap: true,
      visitors: false,
    });
    // The address is still to be anonymised.
    assert.equal(decide({ ...CONFIG, services: needy }, choice).heatmap, false);
  });

  test("is given up at once when it is over-long", () => {
    for (const filler of ["0", ".", "1.", "a", " "]) {
      assert.equal(decodeChoice(SITE, filler.repeat(100_000)), null);
      assert.equal(decodeChoice(SITE, COOKIE + filler.repeat(100_000)), null);
    }
  });
});

describe("the choice in force", () => {
  const NOW = GIVEN_SECONDS * 1000;

  test("is one that answers what is asked now", () => {
    assert.equal(isInForce(CONFIG, CHOICE, NOW), true);
  });

  test("ends with its lifetime, to the second", () => {
    const end = (GIVEN_SECONDS + DAYS * DAY) * 1000;

    assert.equal(isInForce(CONFIG, CHOICE, end - 1), true);
    assert.equal(isInForce(CONFIG, CHOICE, end), false);
  });

  test("may come from a clock that was a day ahead, not more", () => {
    assert.equal(isInForce(CONFIG, CHOICE, NOW - DAY * 1000 + 1), true);
    assert.equal(isInForce(CONFIG, CHOICE, NOW - DAY * 1000), false);
  });

  test("lasts no longer than the policy allows now", () => {
    assert.equal(isInForce({ ...CONFIG, days: DAYS - 1 }, CHOICE, NOW), false);
    assert.equal(isInForce({ ...CONFIG, days: DAYS + 1 }, CHOICE, NOW), true);
  });

  test("answers this question and no other", () => {
    assert.equal(isInForce({ ...CONFIG, scope: "0badcaff" }, CHOICE, NOW), false);
    assert.equal(isInForce(CONFIG, null, NOW), false);
  });
});

describe("the browser's cookies", () => {
  /** @param {string} cookie */
  const readFrom = (cookie) => readChoice(SITE, cookie);
  afterEach(() => {
    delete globalThis.document;
  });

  test("hold no choice where there is none of ours", () => {
    assert.equal(readFrom(""), null);
    assert.equal(readFrom("slagboom="), null);
    assert.equal(readFrom(`other=${COOKIE}`), null);
    assert.equal(readFrom(`slagboom-old=${COOKIE}; xslagboom=${COOKIE}`), null);
  });

  test("hold one choice among others' cookies", () => {
    assert.deepEqual(readFrom(`_ga=1.2; slagboom=${COOKIE}; a=b=c`), CHOICE);
  });

  test("count for the newest choice where two stand side by side", () => {
    const newer = [...CHOICE];
    newer[GIVEN] = `${GIVEN_SECONDS + 1}`;
    const pair = [COOKIE, encodeChoice(SITE, newer)].map((value) => `slagboom=${value}`);

    assert.deepEqual(readFrom(pair.join("; ")), newer);
    assert.deepEqual(readFrom(pair.reverse().join("; ")), newer);
  });

  test("count for nothing against what was decided later and has not been sent", () => {
    const withdrawal = [...CHOICE];
    withdrawal[PURPOSES] = "00";
    withdrawal[SERVICES] = "000";
    withdrawal[GIVEN] = `${GIVEN_SECONDS + 1}`;
    const unsent = JSON.stringify([[encodeChoice(SITE, withdrawal), { action: "withdraw" }]]);

    assert.deepEqual(readFrom(`a=b; slagboom=${COOKIE}"${unsent}`), withdrawal);
    assert.deepEqual(readFrom(`slagboom=${COOKIE}; a=b"${unsent}`), withdrawal);
  });

  test("hold a withdrawal without digits, beside what it ends", () => {
    const ended = [...CHOICE];
    ended[PURPOSES] = ended[SERVICES] = "";
    ended[GIVEN] = `${GIVEN_SECONDS + 1}`;
    const pair = [COOKIE, encodeChoice(SITE, ended)].map((value) => `slagboom=${value}`);

    assert.deepEqual(readFrom(pair.join("; ")), ended);
    assert.deepEqual(readFrom(pair.reverse().join("; ")), ended);
    assert.equal(isInForce(CONFIG, ended, GIVEN_SECONDS * 1000), true);
    assert.deepEqual(Object.values(decide(CONFIG, ended)).filter(Boolean), []);
  });

  test("count for the readable one of two", () => {
    assert.deepEqual(readFrom(`slagboom=broken; slagboom=${COOKIE}`), CHOICE);
  });

  test("may be out of reach in a sandboxed frame", () => {
    globalThis.document = {
      get cookie() {
        throw new Error("SecurityError");
      },
    };

    assert.equal(readCookies(), "");
  });
});
