import assert from "node:assert/strict";
import { test } from "node:test";

import { decide } from "../../static/js/decide.js";
import { readGolden, toFields } from "./golden.mjs";

const { offer, cases } = readGolden("grants");

for (const { name, choice, purposes, services } of cases) {
  test(name, () => {
    assert.deepEqual(decide(offer, choice && toFields(choice)), { purposes, services });
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
