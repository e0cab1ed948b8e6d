import assert from "node:assert/strict";
import { test } from "node:test";

import { decide } from "../../static/js/decide.js";
import { readGolden } from "./golden.mjs";

const { offer, cases } = readGolden("grants");

for (const { name, choice, purposes, services } of cases) {
  test(name, () => {
    assert.deepEqual(decide(offer, choice), { purposes, services });
  });
}
