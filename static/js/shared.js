/** What the gate lends its parts, so that no page loads it twice. */
import { describeChoice } from "./api.js";
import { encodeChoice, readChoice, readCookies } from "./cookie.js";
import { isCovered, serviceOf } from "./hosts.js";
import { addStyle } from "./root.js";
import { resolveAddress } from "./tags.js";

export const shared = {
  addStyle,
  describeChoice,
  encodeChoice,
  isCovered,
  readChoice,
  readCookies,
  resolveAddress,
  serviceOf,
};
