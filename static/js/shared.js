/** What the gate lends its parts, so that no page loads it twice. */
import { describeChoice } from "./api.js";
import { encodeChoice, readChoice, readCookies } from "./cookie.js";
import { isCovered, serviceOf } from "./hosts.js";
import { resolveAddress } from "./tags.js";

export const shared = {
  describeChoice,
  encodeChoice,
  isCovered,
  readChoice,
  readCookies,
  resolveAddress,
  serviceOf,
};
