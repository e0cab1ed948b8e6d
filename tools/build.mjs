/**
 * Bundles the client scripts into static/js/dist.
 * With --check nothing is written: exit 1 when what is committed differs from what the sources give.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { chdir } from "node:process";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const BUNDLES = [
  ["static/js/main.js", "static/js/dist/gate.js"],
  ["static/js/block/main.js", "static/js/dist/block.js"],
  ["static/js/reload/main.js", "static/js/dist/reload.js"],
  ["static/js/first/main.js", "static/js/dist/first.js"],
  ["static/js/second/main.js", "static/js/dist/second.js"],
  ["static/js/own/main.js", "static/js/dist/own.js"],
];
/** Shipped as it is. */
const TYPES = ["static/js/slagboom.d.ts", "static/js/dist/slagboom.d.ts"];

/** @param {string} source @returns {Promise<string>} */
const bundle = async (source) => {
  const result = await build({
    entryPoints: [source],
    bundle: true,
    write: false,
    format: "iife",
    target: "es2020",
    charset: "utf8",
    minify: true,
    legalComments: "none",
    // Names that start with _ are private to one bundle; what gate and panel share never does.
    mangleProps: /^_/,
    reserveProps: /^__/,
    logLevel: "warning",
  });
  return result.outputFiles[0].text;
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
