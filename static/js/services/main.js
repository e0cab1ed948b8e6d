/** Starts and stops the services of the policy that have steps of their own, and keeps their consent
 * types. It stands before the gate where a policy needs it, and hands itself over in the name both
 * share (bundle.py). */
import { clearQueue, runSteps } from "./steps.js";

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
let isFirst = true;

/** Whether nothing told before the grant is left for the vendor's script to read.
 * @param {import("../types.js").ServiceConfig} service */
const isCleared = ({ queues = [] }) => {
  try {
    for (const [path, keep] of queues) clearQueue(path, keep);
    return true;
  } catch (error) {
    console.error("slagboom:", queues, error);
    return false;
  }
};

/** Brings the services in line with what is granted now.
 * @param {Host} host @returns {boolean} whether only a new page silences what was stopped */
const runServices = ({ choice, config, grants, trust }) => {
  const { services } = config;
  let mustReload = false;
  const moment = isFirst ? +(choice !== null) : 2;
  /** Those to start now. @type {Set<string>} */
  const starting = new Set();
  // All lists ahead of the first step: what a step puts into one is for a script that starts with it.
  // Where the page began with a grant, all that it has told was told under that grant.
  for (const service of services) {
    const { id, ahead } = service;
    if (grants[id] && !started.has(id) && (isFirst || ahead || isCleared(service))) starting.add(id);
  }
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

  /** @type {(() => void)[]} */
  const last = [];
  for (const { id, ahead, load = [], after = [], off = [], deny = [], reload } of services) {
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
      if (starting.has(id)) {
        started.set(id, []);
        run(load);
      } else if (started.has(id)) last.push(() => run(after));
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
  for (const tell of last) tell();
  return mustReload;
};

// @ts-ignore -- the name stands around this script and the gate (bundle.py)
sbParts.runServices = runServices;
