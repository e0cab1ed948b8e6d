/** The cases both languages share. */
import { readFileSync } from "node:fs";

/** @param {string} name */
export const readGolden = (name) =>
  JSON.parse(readFileSync(new URL(`../golden/${name}.json`, import.meta.url), "utf8"));

/** @param {boolean[]} states */
const toDigits = (states) => states.map(Number).join("");

/** A shared case's choice as the fields that the browser knows it by.
 * @param {Record<string, any>} choice  what a case leaves out is left empty */
export const toFields = (choice) => [
  "1",
  `${choice.revision ?? ""}`,
  choice.scope ?? "",
  `${choice.given_at ?? ""}`,
  `${choice.lifetime_days ?? ""}`,
  choice.consent_id ?? "",
  choice.decision_id ?? "",
  toDigits(choice.purposes),
  toDigits(choice.services),
  `${+choice.anonymise_ip + 2 * +(choice.gpc ?? false)}`,
];
