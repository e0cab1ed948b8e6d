import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";

import { decodeChoice, encodeChoice, isInForce, readChoice } from "../../static/js/cookie.js";
import { readGolden } from "./golden.mjs";

const DAY = 86400;
const CASES = readGolden("choice_cookie").map(({ name, site, choice, cookie }) => {
  const { given_at: given, ...rest } = choice;
  return { name, site, choice: { ...rest, given }, cookie };
});
const { site: SITE, choice: CHOICE, cookie: COOKIE } = CASES[1];
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
    assert.ok(CASES.some(({ choice }) => choice.purposes.length === 20 && choice.services.length === 60));
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
    const config = {
      scope: CHOICE.scope,
      lifetime_days: CHOICE.lifetime_days,
      purposes: CHOICE.purposes,
      services: CHOICE.services,
    };
    for (const [at, wrong] of [[2, "0BADCAFE"], [3, "x"], [3, ""], [3, "-1"], [4, ""], [4, "x"]]) {
      const parts = PAYLOAD.split(".");
      parts[at] = wrong;
      const forged = sign(parts.join("."));
      const choice = decodeChoice(SITE, forged);
      assert.ok(!choice || !isInForce(config, choice, CHOICE.given * 1000), forged);
    }
  });

  test("grants no more with bits that are neither yes nor no", () => {
    const parts = PAYLOAD.split(".");
    parts[7] = "2x";
    parts[8] = "01é";
    parts[9] = "9";
    const choice = decodeChoice(SITE, sign(parts.join(".")));

    assert.deepEqual(choice?.purposes, [false, false]);
    assert.deepEqual(choice?.services, [false, true, false]);
    assert.equal(choice?.anonymise_ip, true);
  });

  test("is given up at once when it is over-long", () => {
    for (const filler of ["0", ".", "1.", "a", " "]) {
      assert.equal(decodeChoice(SITE, filler.repeat(100_000)), null);
      assert.equal(decodeChoice(SITE, COOKIE + filler.repeat(100_000)), null);
    }
  });
});

describe("the choice in force", () => {
  const NOW = CHOICE.given * 1000;
  const CONFIG = {
    scope: CHOICE.scope,
    lifetime_days: CHOICE.lifetime_days,
    purposes: ["statistics", "marketing"],
    services: [{ id: "counter" }, { id: "heatmap" }, { id: "visitors" }],
  };

  test("is one that answers what is asked now", () => {
    assert.equal(isInForce(CONFIG, CHOICE, NOW), true);
  });

  test("ends with its lifetime, to the second", () => {
    const end = (CHOICE.given + CHOICE.lifetime_days * DAY) * 1000;

    assert.equal(isInForce(CONFIG, CHOICE, end - 1), true);
    assert.equal(isInForce(CONFIG, CHOICE, end), false);
  });

  test("may come from a clock that was a day ahead, not more", () => {
    assert.equal(isInForce(CONFIG, CHOICE, NOW - DAY * 1000 + 1), true);
    assert.equal(isInForce(CONFIG, CHOICE, NOW - DAY * 1000), false);
  });

  test("lasts no longer than the policy allows now", () => {
    assert.equal(isInForce({ ...CONFIG, lifetime_days: 181 }, CHOICE, NOW), false);
    assert.equal(isInForce({ ...CONFIG, lifetime_days: 183 }, CHOICE, NOW), true);
  });

  test("answers this question and no other", () => {
    assert.equal(isInForce({ ...CONFIG, scope: "0badcaff" }, CHOICE, NOW), false);
  });

  test("answers every purpose and service, and none beside them", () => {
    const { purposes, services } = CONFIG;

    assert.equal(isInForce({ ...CONFIG, purposes: purposes.slice(1) }, CHOICE, NOW), false);
    assert.equal(isInForce({ ...CONFIG, purposes: [...purposes, "more"] }, CHOICE, NOW), false);
    assert.equal(isInForce({ ...CONFIG, services: services.slice(1) }, CHOICE, NOW), false);
    assert.equal(
      isInForce({ ...CONFIG, services: [...services, { id: "more" }] }, CHOICE, NOW),
      false,
    );
  });
});

describe("the browser's cookies", () => {
  const CONFIG = { site: SITE };
  /** @param {string} cookie */
  const readFrom = (cookie) => {
    globalThis.document = { cookie };
    return readChoice(CONFIG);
  };
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
    const newer = { ...CHOICE, given: CHOICE.given + 1, services: [false, false, false] };
    const pair = [COOKIE, encodeChoice(SITE, newer)].map((value) => `slagboom=${value}`);

    assert.deepEqual(readFrom(pair.join("; ")), newer);
    assert.deepEqual(readFrom(pair.reverse().join("; ")), newer);
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

    assert.equal(readChoice(CONFIG), null);
  });
});
