/**
 * Bundles the client scripts into static/js/dist.
 * With --check nothing is written: exit 1 when what is committed differs from what the sources give.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { chdir } from "node:process";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";
import { minify } from "terser";

const BUNDLES = [
  ["static/js/main.js", "static/js/dist/gate.js"],
  ["static/js/block/main.js", "static/js/dist/block.js"],
  ["static/js/reload/main.js", "static/js/dist/reload.js"],
  ["static/js/handover/main.js", "static/js/dist/handover.js"],
  ["static/js/services/main.js", "static/js/dist/services.js"],
  ["static/js/storage/main.js", "static/js/dist/storage.js"],
  ["static/js/choice/main.js", "static/js/dist/choice.js"],
  ["static/js/care/main.js", "static/js/dist/care.js"],
  ["static/js/embed/main.js", "static/js/dist/embed.js"],
  ["static/js/first/main.js", "static/js/dist/first.js"],
  ["static/js/answered/main.js", "static/js/dist/answered.js"],
  ["static/js/second/main.js", "static/js/dist/second.js"],
  ["static/js/own/main.js", "static/js/dist/own.js"],
];
/** Shipped as it is. */
const TYPES = ["static/js/slagboom.d.ts", "static/js/dist/slagboom.d.ts"];

/** Names the parts use among themselves, and the server never writes: they become short ones, the
 * same in all parts. */
const INTERNAL = [
  "choice",
  "root",
  "showControl",
  "earlier",
  "grants",
  "visit",
  "applyChoice",
  "config",
  "tags",
  "hasGranted",
  "isNeeded",
  "trust",
  "isKept",
  "isStranded",
  "loadPart",
  "base",
  "readLanguage",
  "addStyle",
  "withChoosing",
  "api",
  "describeChoice",
  "encodeChoice",
  "loading",
  "mayRun",
  "readChoice",
  "readCookies",
  "released",
  "shared",
  "take",
  "waiting",
  "withAnswered",
  "update",
  "clearStored",
  "coming",
  "gateHost",
  "isCovered",
  "resolveAddress",
  "run",
  "runServices",
  "serviceOf",
  "visited",
  "watch",
  "makeButton",
  "outwardLink",
  "forget",
  "hadGrants",
  "isUnsent",
  "makeNote",
  "placeholder",
  "sayWithdrawn",
  "tell",
  "wantPlaceholder",
  "withCare",
  "makeRecord",
  "showOnce",
  "isCounted",
];
/** In an order found by trying: with it the gate packs to thirty bytes less than with the alphabet. */
const LETTERS = "YmkxiptoSsKgwrbnyAEZXzQcBPuThCUGevfLMINlaFOqRHVdjDJW";
/** @type {Record<string, string | false>} */
const mangleCache = Object.fromEntries(
  INTERNAL.map((name, at) => [name, at < LETTERS.length ? LETTERS[at] : `$${at}`]),
);

/** @param {string} source @returns {Promise<string>} */
const bundle = async (source) => {
  const { outputFiles } = await build({
    entryPoints: [source],
    bundle: true,
    write: false,
    format: "iife",
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
    mangleProps: new RegExp(`^(${INTERNAL.join("|")})$`),
    mangleCache,
    logLevel: "warning",
  });
  // Terser finds more to leave out than esbuild does.
  const { code = "" } = await minify(outputFiles[0].text, {
    ecma: 2022,
    compress: { passes: 4, unsafe_arrows: true },
    format: { comments: false },
  });
  // The server says it once for all that stands in one answer (bundle.py).
  return code.replace(/^"use strict";/, "");
};

/** @param {string} file @returns {Promise<string>} */
const committed = (file) => readFile(file, "utf8").catch(() => "");

chdir(dirname(dirname(fileURLToPath(import.meta.url))));
const checking = process.argv.includes("--check");
for (const [source, target] of [...BUNDLES, TYPES]) {
  const text = target === TYPES[1] ? await committed(source) : await bundle(source);
  if (!checking) {
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, text);
    console.log(`${target}: ${text.length} characters`);
  } else if (text !== (await committed(target))) {
    console.error(`${target}: differs from what ${source} gives; run make build and commit it`);
    process.exitCode = 1;
  }
}
