/** The gate: the only script a page carries. Reads the choice, keeps everything shut that it does
 * not open, and takes decisions. The layers are parts of their own: the first comes with the gate
 * while a choice is due, the second is fetched when it is opened. */
import { byId, makeApi } from "./api.js";
import { decodeChoice, encodeChoice, isInForce, readChoice, writeChoice } from "./cookie.js";
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
/** @typedef {import("./types.js").Part} Part */
/** @typedef {import("./slagboom.js").SlagboomAct} SlagboomAct */
/** @typedef {import("./slagboom.js").SlagboomDecision} SlagboomDecision */
/** @typedef {import("./slagboom.js").SlagboomEventName} SlagboomEventName */

/** @param {Config} config @param {HTMLScriptElement} ownScript
 * @param {SlagboomAct[]} early  what the page wanted of the API before it was there */
const start = (config, ownScript, early) => {
  const { purposes, services: offered, site } = config;
  const { nonce, src } = ownScript;
  const base = new URL(".", src).href;
  const tabs = openChannel(`slagboom-${site}`);
  const language = () => pageLanguage(config);

  /** The last choice, in force or not. @type {Choice | null} */
  let earlier = null;
  /** The decision that the choice made on this page took the place of. @type {string | null} */
  let replaced = null;

  const sender = makeSender(`${base}decisions`, () => {
    // The answer to an earlier decision may have come in between and set its cookie again.
    const found = readChoice(config);
    if (choice && found && found.decision_id === replaced) writeChoice(config, choice);
    update();
  });

  /** Whether this browser has kept a choice, so that a missing cookie was taken away. */
  let isKept = false;

  const readInForce = () => {
    let found = readChoice(config);
    if (found) isKept = true;
    else if (isKept) earlier = null;
    const unsent = sender.newest();
    // A late answer to an earlier decision may have set that one's cookie again while the newer one
    // still waits to be sent.
    if (found && unsent && unsent[1].previous === found.decision_id) {
      found = decodeChoice(site, unsent[0]) || found;
    }
    earlier = found || earlier;
    return earlier && isInForce(config, earlier, Date.now()) ? earlier : null;
  };
  let choice = readInForce();
  let grants = decide(config, choice);

  /** @type {Record<string, Promise<Part>>} */
  const parts = Object.create(null);
  /** @type {Record<string, (part: Part) => void>} */
  const awaited = Object.create(null);
  document.addEventListener("slagboom:part", (event) => {
    const [key, mount] = /** @type {CustomEvent} */ (event).detail;
    if (awaited[key]) awaited[key](mount(host));
    else parts[key] = Promise.resolve(mount(host));
  });

  /** Acts on a part, which is fetched where it did not come with the gate.
   * @param {"first" | "second"} name @param {(part: Part) => void} act */
  const withPart = (name, act) => {
    const key = `${name}-${language()}`;
    parts[key] =
      parts[key] ||
      new Promise((resolve, reject) => {
        const script = document.createElement("script");
        awaited[key] = resolve;
        script.nonce = nonce;
        script.onerror = () => {
          // The control stays, and a later wish tries again.
          delete parts[key];
          showControl(name === "second" && !choice);
          reject(new Error(`slagboom: ${key} did not load; nothing is granted`));
        };
        script.src = trustedScriptUrl(`${base}${key}-${config.build}.js`);
        document.head.append(script);
      });
    parts[key].then(act, (error) => console.warn(error.message));
  };

  /** Every part that is there shows the choice in force. */
  const update = () => {
    for (const key of Object.keys(parts)) parts[key].then((part) => part.update(), () => {});
  };

  /** @param {Element | null} opener */
  const open = (opener) => {
    // The page's language may have changed without a new page.
    showControl(!choice);
    withPart("second", (part) => part.show(opener));
  };
  const hasGranted = () =>
    choice !== null && [...choice.purposes, ...choice.services].includes(true);

  const root = makeRoot(config.style, open, () => {
    refuse("first");
    withPart("first", (part) => part.say("withdrawn_status"));
  });
  /** @param {boolean} isAsking */
  const showControl = (isAsking) =>
    whenBody(() =>
      root.show(
        language(),
        config.languages[language()],
        hasGranted(),
        isAsking || config.own_interface === true,
      ),
    );

  const services = makeServices(config, nonce);
  const tags = makeTags(config, (frame, service) =>
    withPart("first", (part) => part.placeholder(frame, service)),
  );

  /** Brings control, parts, services and tags in line with the choice.
   * @returns whether only a new page silences what was stopped */
  const apply = () => {
    grants = decide(config, choice);
    showControl(!choice);
    update();
    const mustReload = services.apply(grants, choice !== null);
    tags.apply(grants);
    if (api.decision) settle(api.decision);
    return mustReload;
  };
  const applyChange = () => {
    const mustReload = apply();
    tell("change");
    if (mustReload) {
      // reload/main.js, where the policy needs it, keeps what has been typed.
      document.dispatchEvent(new Event("slagboom:reload"));
      location.reload();
    }
  };

  /** @param {Answer} answer */
  const answerWith = ({ action, layer, language: shown = language(), ...chosen }) => {
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
      ...chosen,
      gpc: action === "gpc",
    };
    writeChoice(config, choice);
    isKept = readChoice(config) !== null;
    sender.send([
      encodeChoice(site, choice),
      {
        decision_id: choice.decision_id,
        consent_id: choice.consent_id,
        previous: replaced,
        revision: config.revision,
        notice: config.languages[shown].notice,
        language: shown,
        layer,
        action,
        choices: byId(purposes, chosen.purposes),
        services: byId(offered.map(({ id }) => id), chosen.services),
        anonymise_ip: chosen.anonymise_ip,
        gpc: hasGpc(),
        given_at: new Date(now).toISOString(),
      },
    ]);
    if (tabs) tabs.postMessage(0);
    applyChange();
  };

  /** @param {boolean} value @param {Answer["action"]} action @param {Answer["layer"]} layer
   * @param {string} [shown] the language of the layer */
  const answerAll = (value, action, layer, shown) =>
    answerWith({
      action,
      layer,
      language: shown,
      purposes: purposes.map(() => value),
      services: offered.map(() => value),
      anonymise_ip: !value || config.accept_anonymises,
    });
  /** @param {Answer["layer"]} layer @param {string} [shown] */
  const accept = (layer, shown) => answerAll(true, "accept_all", layer, shown);
  /** Refusing what had been granted is a withdrawal.
   * @param {Answer["layer"]} layer @param {string} [shown] */
  const refuse = (layer, shown) =>
    answerAll(false, hasGranted() ? "withdraw" : "reject_all", layer, shown);

  /** @type {(decision: SlagboomDecision) => void} */
  let settle;
  const api = makeApi(config, {
    choice: () => choice,
    grants: () => grants,
    ready: new Promise((resolve) => {
      settle = resolve;
    }),
    open: () => open(document.activeElement),
    accept: () => accept("api"),
    refuse: () => refuse("api"),
  });
  /** @param {SlagboomEventName} name */
  const tell = (name) => {
    document.dispatchEvent(
      new CustomEvent(`slagboom:${name}`, {
        detail: { decision: api.decision, language: language() },
      }),
    );
  };

  /** @type {Host} */
  const host = {
    config,
    base,
    root: root.element,
    choice: () => choice,
    earlier: () => earlier,
    isUnsent: sender.isWaiting,
    decide: answerWith,
    accept,
    refuse,
    open,
    showOnce: tags.showOnce,
    api,
    language,
    tell,
  };

  /** Another tab, or a page kept in the back/forward cache, may have missed a change. */
  const synchronise = () => {
    const found = readInForce();
    if ((found && found.decision_id) === (choice && choice.decision_id)) return;
    choice = found;
    applyChange();
    // Nothing is in force any more; but an answer to a newer question is not asked for again here.
    if (!choice && (!earlier || earlier.scope === config.scope)) ask();
  };

  window.slagboom = api;
  api.push(...early);

  if (!choice && hasGpc()) answerAll(false, "gpc", "api");
  else apply();
  sender.resend();
  if (tabs) tabs.onmessage = synchronise;
  addEventListener("pageshow", synchronise);
  document.addEventListener("visibilitychange", synchronise);
  document.addEventListener("click", (event) => {
    const opener =
      event.target instanceof Element && event.target.closest('[data-slagboom="open"]');
    if (opener) {
      event.preventDefault();
      open(opener);
    }
  });
  const ask = () => {
    tell("ask");
    if (!config.own_interface) whenBody(() => withPart("first", (part) => part.show(null)));
  };
  // The first layer may stand behind the gate in this very script: let it register.
  Promise.resolve().then(() => choice || ask());
  // A page that builds its body anew without a new page keeps the way to the choice.
  whenBody(() => {
    new MutationObserver((changes) => {
      // Whoever removes nothing else means it, and would do so again, for ever.
      const isRebuilt = changes.some(({ removedNodes }) =>
        [...removedNodes].some((node) => node !== root.element),
      );
      if (isRebuilt && !root.element.isConnected) showControl(!choice);
    }).observe(document, { childList: true, subtree: true });
  });
};

/** The other tabs; a browser that refuses storage may refuse this too. @param {string} name */
const openChannel = (name) => {
  try {
    return new BroadcastChannel(name);
  } catch {
    return null;
  }
};

/** Acts as soon as the page has a body, which an async script may be ahead of. @param {() => void} act */
const whenBody = (act) => {
  if (document.body) act();
  else document.addEventListener("DOMContentLoaded", act, { once: true });
};

const ownScript = document.currentScript;
const { slagboom = [] } = window;
// A second script tag would ask twice: the first one counts. An array is what the page left here.
if (ownScript instanceof HTMLScriptElement && Array.isArray(slagboom)) {
  // The server puts the site's policy in place of this name (bundle.py).
  // @ts-ignore -- the name exists only to be replaced
  start(SLAGBOOM_CONFIG, ownScript, slagboom);
} else if (!("granted" in slagboom)) {
  console.error('slagboom: not started; use a classic <script src>, and leave the name to it');
}
