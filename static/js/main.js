/** The gate: the only script a page carries, and all that a visitor who has decided needs. Reads the
 * choice and keeps everything shut that it does not open. The rest are parts of their own: what
 * takes a decision and the first layer come with the gate while a choice is due, and otherwise when
 * they are wanted; the second layer when it is opened. */
import { makeApi } from "./api.js";
import {
  COOKIE_START,
  DECISION_ID,
  decodeChoice,
  encodeChoice,
  isInForce,
  PURPOSES,
  readChoice,
  readCookies,
  SERVICES,
  UNSENT,
  VOID,
} from "./cookie.js";
import { decide } from "./decide.js";
import { makeRoot } from "./root.js";
import { shared } from "./shared.js";
import { pageLanguage } from "./signals.js";
import { makeTags } from "./tags.js";
import { makeTrust } from "./trusted.js";

/** @typedef {import("./types.js").Choice} Choice */
/** @typedef {import("./types.js").Choosing} Choosing */
/** @typedef {import("./types.js").Config} Config */
/** @typedef {import("./types.js").Host} Host */
/** @typedef {import("./types.js").Mount} Mount */
/** @typedef {import("./types.js").Part} Part */
/** @typedef {import("./slagboom.js").SlagboomAct} SlagboomAct */
/** @typedef {import("./slagboom.js").SlagboomDecision} SlagboomDecision */

const PATIENCE_MS = 3000;
const QUIET_MS = 1500;

/** @param {Config} config @param {HTMLScriptElement} ownScript
 * @param {SlagboomAct[]} early  what the page wanted of the API before it was there
 * @param {import("./types.js").MakeServices | undefined} makeServices
 * @param {import("./types.js").ClearStorage | undefined} clearStorage
 * @param {Promise<void> | undefined} coming  settles once a choice handed over from another domain
 * has been stored, or there is none (handover/main.js) */
const start = (config, ownScript, early, makeServices, clearStorage, coming) => {
  const { services, site } = config;
  const { nonce, src } = ownScript;
  const trust = makeTrust();
  const language = () => pageLanguage(config);

  const readInForce = () => {
    let found = readChoice(site);
    try {
      // Without a choice there is no need to look: what takes decisions is here, and looks itself.
      if (found) {
        for (const [value, { previous }] of JSON.parse(localStorage[UNSENT])) {
          host.isNeeded = true;
          // A late answer to an earlier decision may have set that one's cookie again while the
          // newer ones still wait to be sent.
          if (found && previous === found[DECISION_ID]) found = decodeChoice(site, value);
        }
      }
    } catch {
      // Storage is refused, or nothing waits there.
    }
    // A browser that keeps no cookies has its choice for as long as the page is there.
    if (found || host.isKept) host.earlier = found;
    host.isKept = host.isKept || !!found;
    return host.earlier && isInForce(config, host.earlier, Date.now()) ? host.earlier : null;
  };

  /** What makes each part that is there. @type {Record<string, Mount>} */
  const mounts = {};
  document.addEventListener("slagboom:part", (event) => {
    const [key, mount] = /** @type {CustomEvent} */ (event).detail;
    mounts[key] = mount;
    if (key === "own") mount(host);
  });
  /** What makes a part, fetched where it did not come with the gate.
   * @param {string} key @returns {Promise<Mount>} */
  const load = async (key) => {
    // What did stands behind it in this very script: let it register.
    await 0;
    return (
      mounts[key] ||
      new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.nonce = nonce;
        script.onload = () => resolve(mounts[key]);
        script.onerror = () => reject(`slagboom: ${key} did not load`);
        script.src = trust.createScriptURL(`${host.base}${key}-${config.build}.js`);
        document.head.append(script);
      })
    );
  };

  /** @type {Promise<Choosing> | undefined} */
  let choosing;
  /** Acts on the part that takes decisions.
   * @param {(part: Choosing) => void} act
   * @param {() => void} [alone]  what cannot wait for that part longer than PATIENCE_MS */
  const withChoosing = (act, alone) => {
    // A server that does not answer is away as well.
    const timer = alone && setTimeout(alone, PATIENCE_MS);
    choosing = choosing || load("choice").then((mount) => mount(host));
    choosing.then(
      (part) => {
        clearTimeout(timer);
        act(part);
      },
      (reason) => {
        choosing = undefined;
        console.warn(reason);
        showControl(true);
        if (alone) alone();
      },
    );
  };

  /** @param {Element | null} opener */
  const open = (opener) => {
    // The page's language may have changed without a new page.
    showControl();
    withChoosing((part) => part.open(opener));
  };
  const withdrawAlone = () => {
    if (!host.choice || !host.hasGranted()) return;
    // The server is away, and with it what decides. Void, the choice grants nothing on the new page,
    // which records the withdrawal as soon as it can.
    const value = encodeChoice(site, host.choice);
    document.cookie = `${COOKIE_START}${VOID}${value}; path=/${config.domain}`;
    location.reload();
  };
  const root = makeRoot(config.style, open, () =>
    withChoosing((part) => part.withdraw(), withdrawAlone),
  );
  let hasControl = false;
  const showControl = (isWanted = !!host.choice) => {
    hasControl = isWanted && !config.own_interface;
    const show = () =>
      root.show(language(), config.languages[language()], hasControl, host.hasGranted());
    // The control stands behind everything else, and so waits for a page that is whole; not where
    // the first layer is already there.
    if (document.readyState !== "loading" || root.element.isConnected) show();
    else document.addEventListener("DOMContentLoaded", show, { once: true });
  };

  const runServices = makeServices && makeServices(services, nonce, (url) => trust.createScriptURL(url));
  const tags = makeTags(config, trust, () => host.grants, (tag) =>
    withChoosing((part) => part.visit(tag)),
  );

  /** @type {(decision: SlagboomDecision) => void} */
  let settle;
  const api = makeApi(config, {
    choice: () => host.choice,
    grants: () => host.grants,
    ready: new Promise((resolve) => {
      settle = resolve;
    }),
    open: () => open(document.activeElement),
    accept: () => withChoosing((part) => part.accept("api")),
    refuse: () => withChoosing((part) => part.refuse("api"), withdrawAlone),
  });

  /** @type {Host} */
  const host = {
    config,
    base: src.replace(/[^/]*$/, ""),
    api,
    shared,
    tags,
    root: root.element,
    choice: null,
    earlier: null,
    grants: decide(config, null),
    isKept: false,
    isNeeded: false,
    apply: () => {
      host.grants = decide(config, host.choice);
      tags.visit(document);
      const mustReload = !!runServices && runServices(host.grants, !!host.choice);
      host.clearStorage();
      if (api.decision) settle(api.decision);
      return mustReload;
    },
    clearStorage: () =>
      services.forEach(({ id, stored }) => {
        if (clearStorage && stored && !host.grants.services[id]) clearStorage(stored);
      }),
    decide: (answer) => withChoosing((part) => part.decide(answer)),
    hasGranted: () => !!host.choice && (host.choice[PURPOSES] + host.choice[SERVICES]).includes("1"),
    language,
    load,
    showControl,
  };

  const begin = () => {
    host.choice = readInForce();
    host.apply();
    showControl();
    const cookies = readCookies();
    // What services that are not granted left in cookies, a part deletes.
    host.isNeeded =
      host.isNeeded ||
      services.some(({ cookies: form, id }) => form && !host.grants.services[id] && RegExp(form).test(cookies));
  };
  window.slagboom = api;
  api.push(...early);
  // What is known here may be older than what comes: until then nothing is granted.
  if (coming) host.apply();
  else begin();
  // The parts may stand behind the gate in this very script: let them register.
  Promise.resolve(coming).then(() => {
    if (coming) begin();
    if (!host.choice || host.isNeeded) withChoosing(() => {});
    setTimeout(() => {
      // It opens the storage, which no visitor has to wait for.
      addEventListener("storage", synchronise);
      synchronise();
    }, QUIET_MS);
    addEventListener("pageshow", synchronise);
    document.addEventListener("visibilitychange", synchronise);
  });

  /** Another tab, or a page kept in the back/forward cache, may have missed a change. */
  const synchronise = () => {
    const found = readInForce();
    if ((found && found[DECISION_ID]) !== (host.choice && host.choice[DECISION_ID])) {
      withChoosing(
        (part) => part.take(found),
        () => {
          // What takes it is out of reach: services stop and start all the same.
          host.choice = found;
          if (host.apply()) location.reload();
        },
      );
    }
  };
  document.addEventListener("click", (event) => {
    const opener =
      event.target instanceof Element && event.target.closest('[data-slagboom="open"]');
    if (opener) {
      event.preventDefault();
      open(opener);
    }
  });
  new MutationObserver((changes) => {
    for (const { addedNodes, attributeName, removedNodes, target } of changes) {
      (attributeName ? [target] : addedNodes).forEach(tags.visit);
      // A page that builds its body anew without a new page keeps the way to the choice. Whoever
      // removes nothing else means it, and would do so again, for ever.
      removedNodes.forEach((node) => node === root.element || root.element.isConnected || showControl());
    }
  }).observe(document, { attributeFilter: ["data-consent"], childList: true, subtree: true });
};

const ownScript = document.currentScript;
const { slagboom = [] } = window;
// A second script tag would ask twice: the first one counts. An array is what the page left here.
if (ownScript instanceof HTMLScriptElement && Array.isArray(slagboom)) {
  // The server puts the site's policy in place of the first name, and declares the others around
  // this script (bundle.py).
  // @ts-ignore -- the names are not of this script
  start(SLAGBOOM_CONFIG, ownScript, slagboom, sbServices, sbStorage, sbComing);
} else if (!("granted" in slagboom)) {
  console.error("slagboom: not started");
}
