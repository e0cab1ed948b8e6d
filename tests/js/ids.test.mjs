import assert from "node:assert/strict";
import { test } from "node:test";

import { makeUuid } from "../../static/js/choice/ids.js";

const NOW = 1795258800123;
const FORM = /^[0-9a-f]{8}-[0-9a-f]{4}-([0-9a-f])[0-9a-f]{3}-([0-9a-f])[0-9a-f]{3}-[0-9a-f]{12}$/;
const many = (make) => Array.from({ length: 500 }, make);

for (const version of /** @type {const} */ ([4, 7])) {
  test(`a UUID says that it is of version ${version} and of the RFC's variant`, () => {
    for (const uuid of many(() => makeUuid(version, NOW))) {
      const parts = FORM.exec(uuid);
      assert.ok(parts, uuid);
      assert.equal(parts[1], String(version));
      assert.match(parts[2], /[89ab]/);
    }
  });

  test(`no two UUIDs of version ${version} are the same`, () => {
    assert.equal(new Set(many(() => makeUuid(version, NOW))).size, 500);
  });
}

test("a UUID of version 7 begins with its time in milliseconds", () => {
  for (const now of [0, 1, 255, 256, NOW, 2 ** 48 - 1]) {
    const [high, low] = makeUuid(7, now).split("-");
    assert.equal(parseInt(high + low, 16), now);
  }
});

test("UUIDs of version 7 sort by their time", () => {
  const times = many((_, at) => NOW + at * 997);
  const uuids = times.map((time) => makeUuid(7, time));

  assert.deepEqual([...uuids].sort(), uuids);
});

test("a UUID of version 4 tells nothing of its time", () => {
  const beginnings = new Set(many(() => makeUuid(4, NOW).slice(0, 8)));

  assert.ok(beginnings.size > 490, `${beginnings.size} of 500 differ`);
});
