/** The cases both languages share. */
import { readFileSync } from "node:fs";

/** @param {string} name */
export const readGolden = (name) =>
  JSON.parse(readFileSync(new URL(`../golden/${name}.json`, import.meta.url), "utf8"));
