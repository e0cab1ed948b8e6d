/** The gate: the only script a page carries. Reads the choice, keeps everything shut that it does
 * not open, and fetches the panel only when there is something to ask or to show. */
import { makeApi } from "./api.js";
import { isInForce, readChoice, writeChoice } from "./cookie.js";
import { decide } from "./decide.js";
import { makeUuid } from "./ids.js";
import { makeRoot } from "./root.js";
import { makeSender } from "./send.js";
import { makeServices } from "./services.js";
import { hasGpc, pageLanguage } from "./signals.js";
import { makeTags } from "./tags.js";
import { trustedScriptUrl } from "./trusted.js";

/** @typedef {import("./types.js").Answer} Answer */
/** @typedef {import("./types.js").Choice} Choice */
/** @typedef {import("./types.js").Config} Config */
/** @typedef {import("./types.js").Host} Host */
/** @typedef {import("./types.js").Panel} Panel */

/** @param {Config} config @param {HTMLScriptElement} ownScript */
const start = (config, ownScript) => {
  const base = new URL(".", ownScript.src).href;
  const nonce = ownScript.nonce;
  const sender = makeSender(`${base}decisions`, () => {
    // The answer to an earlier decision may have come in between and set its cookie again.
    const found = readChoice(config);
    if (choice && found && found.decision_id === replaced) writeChoice(config, choice);
    if (panel) withPanel((shown) => shown.update());
  });
  const services = makeServices(config, nonce);
  const tabs = "BroadcastChannel" in window ? new BroadcastChannel(`slagboom-${config.site}`) : null;

  /** The last choice, in force or not. @type {Choice | null} */
  let earlier = null;
  /** The decision that the choice made on this page took the place of. @type {string | null} */
  let replaced = null;
  const readInForce = () => {
    const found = readChoice(config);
    earlier = (found && withUnsent(config, found, sender.newest())) || earlier;
    return earlier && isInForce(config, earlier, Date.now()) ? earlier : null;
  };
  let choice = readInForce();
  let grants = decide(config, choice);
  /** @type {Promise<Panel> | undefined} */
  let panel;

  const language = () => pageLanguage(config);
  const texts = () => config.languages[language()];

  const loadPanel = () => {
    panel =
      panel ||
      new Promise((resolve, reject) => {
        document.addEventListener(
          "slagboom:panel",
          (event) => resolve(/** @type {CustomEvent} */ (event).detail(host)),
          { once: true },
        );
        const script = document.createElement("script");
        script.nonce = nonce;
        script.onerror = () => {
          panel = undefined; // A later wish to open it tries again, by the control.
          whenReady(() => showControl(false));
          reject(new Error("slagboom: the panel did not load; nothing is granted"));
        };
        script.src = trustedScriptUrl(base + texts().panel);
        document.head.append(script);
      });
    return panel;
  };

  /** @param {(panel: Panel) => void} use */
  const withPanel = (use) => {
    loadPanel().then(use, (error) => console.warn(error.message));
  };

  const root = makeRoot(config.style, {
    open: (opener) => withPanel((shown) => shown.open(opener)),
    withdraw: () => {
      refuse("first");
      withPanel((shown) => shown.say("withdrawn"));
    },
  });

  const tags = makeTags(config, (frame, service) =>
    whenReady(() => withPanel((shown) => shown.placeholder(frame, service))),
  );

  /** @param {boolean} isAsking */
  const showControl = (isAsking) => {
    root.show(language(), texts(), hasGranted(), isAsking);
  };

  /** Brings page, tags and services in line with the choice. */
  const apply = () => {
    grants = decide(config, choice);
    whenReady(() => showControl(!choice));
    if (panel) withPanel((shown) => shown.update());
    const mustReload = services.apply(grants);
    tags.apply(grants);
    return mustReload;
  };

  const applyChange = () => {
    const mustReload = apply();
    document.dispatchEvent(new CustomEvent("slagboom:change"));
    if (mustReload) location.reload();
  };

  /** @param {Answer} answer */
  const answerWith = (answer) => {
    const now = Date.now();
    const previous = readChoice(config) || earlier;
    replaced = previous && previous.decision_id;
    choice = earlier = {
      revision: config.revision,
      scope: config.scope,
      given: Math.floor(now / 1000),
      lifetime_days: config.lifetime_days,
      consent_id: previous ? previous.consent_id : makeUuid(4, now),
      decision_id: makeUuid(7, now),
      purposes: answer.purposes,
      services: answer.services,
      anonymise_ip: answer.anonymise_ip,
      gpc: answer.action === "gpc",
    };
    writeChoice(config, choice);
    sender.send({
      decision_id: choice.decision_id,
      consent_id: choice.consent_id,
      previous: replaced,
      revision: config.revision,
      notice: texts().notice,
      language: language(),
      layer: answer.layer,
      action: answer.action,
      choices: Object.fromEntries(config.purposes.map((id, at) => [id, answer.purposes[at]])),
      services: Object.fromEntries(config.services.map(({ id }, at) => [id, answer.services[at]])),
      anonymise_ip: answer.anonymise_ip,
      gpc: hasGpc(),
      given_at: new Date(now).toISOString(),
    });
    if (tabs) tabs.postMessage(choice.decision_id);
    applyChange();
  };

  /** @param {boolean} value @param {Answer["action"]} action @param {Answer["layer"]} layer */
  const answerAll = (value, action, layer) =>
    answerWith({
      action,
      layer,
      purposes: config.purposes.map(() => value),
      services: config.services.map(() => value),
      anonymise_ip: !value || config.accept_anonymises,
    });
  /** @param {Answer["layer"]} layer */
  const accept = (layer) => answerAll(true, "accept_all", layer);
  const hasGranted = () =>
    choice !== null && (choice.purposes.includes(true) || choice.services.includes(true));
  /** Refusing what had been granted is a withdrawal. @param {Answer["layer"]} layer */
  const refuse = (layer) => answerAll(false, hasGranted() ? "withdraw" : "reject_all", layer);

  /** @type {Host} */
  const host = {
    config,
    base,
    choice: () => choice,
    earlier: () => earlier,
    unsent: sender.isWaiting,
    decide: answerWith,
    accept,
    refuse,
    showOnce: tags.showOnce,
    root: root.element,
  };

  /** Another tab, or a page kept in the back/forward cache, may have missed a change. */
  const synchronise = () => {
    const known = choice && choice.decision_id;
    const found = readInForce();
    if (found && found.decision_id !== known) {
      choice = found;
      applyChange();
    }
  };

  Object.defineProperty(window, "slagboom", {
    value: makeApi(config, {
      choice: () => choice,
      grants: () => grants,
      open: () => withPanel((shown) => shown.open(document.activeElement)),
      accept: () => accept("api"),
      refuse: () => refuse("api"),
      withdraw: () => refuse("api"),
    }),
  });

  if (!choice && hasGpc()) answerAll(false, "gpc", "api");
  else apply();
  sender.resend();
  if (tabs) tabs.onmessage = synchronise;
  addEventListener("pageshow", (event) => event.persisted && synchronise());
  document.addEventListener("visibilitychange", () => document.hidden || synchronise());
  document.addEventListener("click", (event) => {
    const opener =
      event.target instanceof Element && event.target.closest('[data-slagboom="open"]');
    if (opener) {
      event.preventDefault();
      withPanel((shown) => shown.open(opener));
    }
  });
  whenReady(() => {
    if (!choice) withPanel((shown) => shown.ask());
  });
};

/** What the visitor decided last: a late answer to an earlier decision may have set that one's cookie
 * again while the newer one still waits to be sent.
 * @param {Config} config @param {Choice} found @param {import("./send.js").Sendable} [unsent]
 * @returns {Choice} */
const withUnsent = (config, found, unsent) =>
  unsent && unsent.previous === found.decision_id && unsent.revision === config.revision
    ? {
        ...found,
        given: Math.floor(Date.parse(unsent.given_at) / 1000),
        decision_id: unsent.decision_id,
        purposes: config.purposes.map((id) => unsent.choices[id] === true),
        services: config.services.map(({ id }) => unsent.services[id] === true),
        anonymise_ip: unsent.anonymise_ip !== false,
        gpc: unsent.action === "gpc",
        revision: unsent.revision,
        scope: config.scope,
        lifetime_days: config.lifetime_days,
      }
    : found;

/** @param {() => void} act */
const whenReady = (act) => {
  if (document.body && document.readyState !== "loading") act();
  else document.addEventListener("DOMContentLoaded", act, { once: true });
};

const ownScript = document.currentScript;
// A second script tag would ask twice: the first one counts.
if (ownScript instanceof HTMLScriptElement && !("slagboom" in window)) {
  // The server puts the site's policy in place of this name (bundle.py).
  // @ts-ignore -- the name exists only to be replaced
  start(SLAGBOOM_CONFIG, ownScript);
}
