import assert from "node:assert/strict";
import { test } from "node:test";

import { decide } from "../../static/js/decide.js";
import { readGolden, toFields } from "./golden.mjs";

const { offer, cases } = readGolden("grants");
const toConfig = ({ necessary, ...rest }) => ({
  ...rest,
  necessary: Object.fromEntries(necessary.map((id) => [id, true])),
});

for (const { name, choice, purposes, services } of cases) {
  test(name, () => {
    const granted = decide(toConfig(offer), choice && toFields(choice));
    assert.deepEqual({ ...granted }, { ...purposes, ...services });
  });
}

test("only the digit that says yes grants anything", () => {
  const choice = toFields({ purposes: [], services: [], anonymise_ip: false });
  for (const digits of ["", "000", "222", "tru", "xxx", "１１１", "\u0000\u0000\u0000"]) {
    choice[7] = choice[8] = digits;
    const granted = decide(toConfig(offer), choice);

    assert.deepEqual(Object.keys(granted).filter((id) => granted[id]), offer.necessary);
  }
});

test("what a page adds to every object grants nothing", () => {
  Object.prototype.statistics = true;
  try {
    assert.equal(decide({ necessary: {}, purposes: [], services: [] }, null).statistics, undefined);
    const granted = decide({ necessary: {}, purposes: ["statistics"], services: [] }, null);
    assert.equal(granted.statistics, false);
  } finally {
    delete Object.prototype.statistics;
  }
});
