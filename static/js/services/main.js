/** Starts and stops the services of the policy that have steps of their own, and keeps their consent
 * types. It stands before the gate where a policy needs it, and hands itself over in the name both
 * share (bundle.py). */
import { dropEvents, runSteps } from "./steps.js";

/** @typedef {import("../types.js").Grants} Grants */
/** @typedef {import("../types.js").Host} Host */

const CONSENT_TYPES = [
  "ad_storage",
  "ad_user_data",
  "ad_personalization",
  "analytics_storage",
  "functionality_storage",
  "personalization_storage",
  "security_storage",
];

const { nonce = "" } = document.currentScript || {};
/** The scripts of each service that runs. @type {Map<string, HTMLScriptElement[]>} */
const started = new Map();
/** Lists that hold nothing from before the first grant any more. @type {Set<string>} */
const cleared = new Set();
let isFirst = true;

/** @param {import("../types.js").Step[]} steps  those that start a service */
const clearLists = (steps) => {
  for (const { do: act, into, path } of steps) {
    const list = act === "queue" ? into : act === "push" ? path : undefined;
    if (list === undefined || cleared.has(list)) continue;
    cleared.add(list);
    dropEvents(list);
  }
};

/** Brings the services in line with what is granted now.
 * @param {Host} host @returns {boolean} whether only a new page silences what was stopped */
const runServices = ({ choice, config, grants, trust }) => {
  const { services } = config;
  let mustReload = false;
  const moment = isFirst ? +(choice !== null) : 2;
  isFirst = false;

  /** Every consent type as granted or denied: granted once one granted service needs it. */
  const consent = () =>
    Object.fromEntries(
      CONSENT_TYPES.map((type) => [
        type,
        services.some(({ id, types = [] }) => grants[id] && types.includes(type))
          ? "granted"
          : "denied",
      ]),
    );

  for (const { id, ahead, load = [], off = [], deny = [], reload } of services) {
    /** @param {import("../types.js").Step[]} steps */
    const run = (steps) =>
      runSteps(steps, {
        consent,
        nonce,
        trust: (url) => trust.createScriptURL(url),
        scripts: started.get(id) || [],
      });
    // Advanced consent mode: it runs ahead of any answer, and hears of each one.
    if (ahead) run(ahead[moment]);
    if (grants[id]) {
      if (!started.has(id)) {
        started.set(id, []);
        if (!ahead) clearLists(load);
        run(load);
      }
    } else {
      const scripts = started.get(id);
      if (scripts) {
        run(off);
        started.delete(id);
        // One on its way may still arrive, but a script of another document does not run.
        for (const script of scripts) new Document().adoptNode(script);
        mustReload ||= reload === true;
      }
      run(deny);
    }
  }
  return mustReload;
};

// @ts-ignore -- the name stands around this script and the gate (bundle.py)
sbParts.runServices = runServices;
