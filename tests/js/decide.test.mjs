import assert from "node:assert/strict";
import { test } from "node:test";

import { decide } from "../../static/js/decide.js";
import { readGolden, toFields } from "./golden.mjs";

const { offer, cases } = readGolden("grants");

for (const { name, choice, purposes, services } of cases) {
  test(name, () => {
    const granted = decide(offer, choice && toFields(choice));
    assert.deepEqual({ ...granted.purposes }, purposes);
    assert.deepEqual({ ...granted.services }, services);
  });
}

test("only the digit that says yes grants anything", () => {
  const choice = toFields({ purposes: [], services: [], anonymise_ip: false });
  for (const digits of ["", "000", "222", "tru", "xxx", "１１１", "\u0000\u0000\u0000"]) {
    choice[7] = choice[8] = digits;
    const { purposes, services } = decide(offer, choice);

    assert.deepEqual(Object.keys(purposes).filter((id) => purposes[id]), offer.necessary);
    assert.deepEqual(Object.keys(services).filter((id) => services[id]), []);
  }
});

test("what a page adds to every object grants nothing", () => {
  Object.prototype.statistics = true;
  try {
    const offer = { necessary: [], purposes: ["statistics"], services: [] };
    const granted = decide(offer, null);
    assert.equal(granted.purposes.statistics, false);
    assert.equal(granted.services.statistics, undefined);
  } finally {
    delete Object.prototype.statistics;
  }
});
