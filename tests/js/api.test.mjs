import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { transform } from "esbuild";

import { makeApi } from "../../static/js/api.js";
import { toFields } from "./golden.mjs";

const readDocument = () => readFile(new URL("../../docs/api.md", import.meta.url), "utf8");
const config = { purposes: ["statistics"], services: [{ id: "counter" }] };
const nothing = () => {};
/** @param {string[] | null} [choice] */
const make = (choice = null) =>
  makeApi(
    { config, choice, grants: { __proto__: null, statistics: true, counter: false } },
    { ready: new Promise(nothing), open: nothing, accept: nothing, refuse: nothing },
  );

test("its members are those that the documentation lists for every policy", async () => {
  const text = await readDocument();
  const table = text.split("| member |")[1].split("\n\n")[0];
  const rows = table.split("\n").filter((row) => row.startsWith("| `"));
  const always = rows.filter((row) => !row.includes("`interface: none` only"));

  const names = always.map((row) => row.match(/`(\w+)/)[1]);
  assert.deepEqual(Object.keys(make()).sort(), names.sort());
});

test("what is pushed runs soon, never at once, in order, with the kit", async () => {
  const api = make();
  const seen = [];
  api.push((kit) => seen.push(kit), () => seen.push("second"));
  assert.deepEqual(seen, []);

  await Promise.resolve();
  assert.equal(seen[0], api);
  assert.deepEqual(seen.slice(1), ["second"]);
});

test("a name that the policy does not have is not granted", () => {
  const api = make();

  assert.equal(api.granted("statistics"), true);
  for (const id of ["counter", "nobody", "constructor", "__proto__"]) {
    assert.equal(api.granted(id), false);
  }
});

test("there is no decision while a choice is due", () => {
  assert.equal(make().decision, null);
});

test("the decision is told as the cookie holds it, with the moment it ends", () => {
  const choice = toFields({
    revision: 3,
    given_at: 1795258800,
    lifetime_days: 182,
    consent_id: "5a1ecafe-0000-4000-8000-00000000000b",
    decision_id: "0199a5d0-8c00-7abc-bdef-0123456789ab",
    purposes: [true],
    services: [false],
    anonymise_ip: true,
    gpc: true,
  });

  assert.deepEqual(make(choice).decision, {
    consent_id: "5a1ecafe-0000-4000-8000-00000000000b",
    decision_id: "0199a5d0-8c00-7abc-bdef-0123456789ab",
    revision: 3,
    given_at: "2026-11-21T11:00:00.000Z",
    valid_until: "2027-05-22T11:00:00.000Z",
    anonymise_ip: true,
    gpc: true,
    choices: { statistics: true },
    services: { counter: false },
  });
  choice[9] = "0";
  const { anonymise_ip: anonymise, gpc } = make(choice).decision;
  assert.deepEqual([anonymise, gpc], [false, false]);
});

test("every example in JavaScript is valid", async () => {
  const text = await readDocument();
  const blocks = [...text.matchAll(/^```(js|jsx)\n(.*?)^```/gms)];
  const inline = [...text.matchAll(/<script>\n(.*?)<\/script>/gs)];

  assert.equal(blocks.length, 3);
  assert.ok(inline.length >= 4);
  for (const [, loader, code] of blocks) await transform(code, { loader, format: "esm" });
  for (const [, code] of inline) await transform(code, { loader: "js" });
});
