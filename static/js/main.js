/** The gate: the only script a page carries, and all that a visitor who has decided needs. Reads the
 * choice and keeps everything shut that it does not open. The rest are parts of their own: what
 * takes a decision and the first layer come with the gate while a choice is due, and otherwise when
 * they are wanted; the second layer when it is opened. */
import { makeApi } from "./api.js";
import {
  COOKIE_START,
  DECISION_ID,
  encodeChoice,
  FLAGS,
  GIVEN,
  isInForce,
  PURPOSES,
  readChoice,
  readCookies,
  SERVICES,
  UNSENT,
} from "./cookie.js";
import { decide } from "./decide.js";
import { pageLanguage } from "./language.js";
import { makeRoot } from "./root.js";
import { shared } from "./shared.js";
import { makeTags } from "./tags.js";
import { makeTrust } from "./trusted.js";
import { whenWhole } from "./whole.js";

/** @typedef {import("./types.js").Choosing} Choosing */
/** @typedef {import("./types.js").Config} Config */
/** @typedef {import("./types.js").Host} Host */
/** @typedef {import("./types.js").Parts} Parts */
/** @typedef {import("./slagboom.js").SlagboomAct} SlagboomAct */
/** @typedef {import("./slagboom.js").SlagboomDecision} SlagboomDecision */

const PATIENCE_MS = 3000;
const QUIET_MS = 1500;

/** @param {Config} config @param {HTMLScriptElement} ownScript
 * @param {SlagboomAct[]} early  what the page wanted of the API before it was there
 * @param {Parts} parts  what stands in the same answer: before the gate it is there already */
const start = (config, ownScript, early, parts) => {
  const { services, site } = config;
  const { coming } = parts;

  const readInForce = () => {
    const cookies = readCookies();
    let found = readChoice(site, cookies);
    try {
      const unsent = found && localStorage[UNSENT];
      if (unsent) {
        host.isNeeded = true;
        // A late answer to an earlier decision may have set that one's cookie again.
        found = readChoice(site, `${cookies}"${unsent}`);
      }
    } catch {
      // Storage is refused.
    }
    // A browser that keeps no cookies has its choice for as long as the page is there.
    if ((host.isKept ||= !!found)) host.earlier = found;
    return isInForce(config, host.earlier, Date.now()) ? host.earlier : null;
  };

  /** @type {Promise<Choosing> | undefined} */
  let choosing;
  /** Acts on the part that takes decisions.
   * @param {(part: Choosing) => void} act
   * @param {() => void} [alone]  what cannot wait for that part longer than PATIENCE_MS */
  const withChoosing = (act, alone) => {
    // A server that does not answer is away as well.
    const timer = alone && setTimeout(alone, PATIENCE_MS);
    choosing ||= host.loadPart("choice").then((mount) => mount(host));
    choosing.then(
      (part) => {
        clearTimeout(timer);
        act(part);
      },
      () => {
        // The browser has told the console what it could not fetch.
        choosing = undefined;
        host.isStranded = true;
        host.showControl();
        alone?.();
      },
    );
  };

  /** @param {Element | null} opener */
  const open = (opener) => withChoosing((part) => part.open(opener));
  const withdrawAlone = () => {
    if (!host.hasGranted()) return;
    const choice = /** @type {any[]} */ (host.choice);
    // The server is away, and with it what decides. Without its digits the choice grants nothing on
    // the new page, which records the withdrawal as soon as it can.
    choice[PURPOSES] = choice[SERVICES] = "";
    // Newer than what another cookie of this name may hold.
    choice[GIVEN]++;
    document.cookie = `${COOKIE_START}${encodeChoice(site, choice)}; path=/${config.domain}`;
    location.reload();
  };

  /** @type {(decision: SlagboomDecision) => void} */
  let settle;
  let retry = "";

  /** @type {Host} */
  // @ts-expect-error -- what is made of it joins it below
  const host = {
    config,
    base: new URL(".", ownScript.src),
    shared,
    trust: makeTrust(),
    root: document.createElement("div"),
    choice: null,
    applyChoice: () => {
      host.grants = decide(config, host.choice);
      host.tags.visit(document);
      const mustReload = !!parts.runServices?.(host);
      host.clearStored?.(host);
      if (host.choice) settle(/** @type {SlagboomDecision} */ (api.decision));
      return mustReload;
    },
    clearStored: parts.clearStored,
    // The digits of all purposes and services.
    hasGranted: () => /1/.test(/** @type {any} */ (host.choice?.slice(PURPOSES, FLAGS))),
    readLanguage: () => pageLanguage(config.languages),
    withChoosing,
    loadPart: async (key) => {
      // What makes it may stand behind the gate in this very script: let it register.
      await 0;
      try {
        return parts[key] || (await import(`${host.base}${key}-${config.build}.js${retry}`)).default[key];
      } catch (error) {
        // A browser may remember that there was nothing at an address.
        retry += "?";
        throw error;
      }
    },
    // The control stands behind everything else, and so waits for a page that is whole; not where
    // the first layer is already there.
    showControl: () =>
      host.root.isConnected ? drawRoot() : whenWhole(() => host.root.isConnected || drawRoot()),
  };
  parts.gateHost = host;
  host.tags = makeTags(host, ownScript.nonce);
  const api = (host.api = makeApi(host, {
    ready: new Promise((resolve) => {
      settle = resolve;
    }),
    open: () => open(document.activeElement),
    accept: () => withChoosing((part) => part.accept()),
    refuse: () => withChoosing((part) => part.refuse(), withdrawAlone),
  }));
  const drawRoot = makeRoot(host, open, () =>
    withChoosing((part) => part.withdraw(), withdrawAlone),
  );

  /** Another tab, or a page kept in the back/forward cache, may have missed a change. */
  const synchronise = () => {
    const found = readInForce();
    if (found?.[DECISION_ID] !== host.choice?.[DECISION_ID]) {
      withChoosing(
        (part) => part.take(found),
        () => {
          // What takes it is out of reach: services stop and start all the same.
          host.choice = found;
          if (host.applyChoice()) location.reload();
        },
      );
    }
  };
  const begin = () => {
    host.choice = readInForce();
    host.applyChoice();
    host.showControl();
    // A withdrawal is still to be recorded, or what services that are not granted left in cookies to
    // be deleted: parts do so.
    const kept = readCookies();
    host.isNeeded ||=
      host.choice?.[PURPOSES] === "" ||
      services.some(({ cookies, id }) => cookies && !host.grants[id] && RegExp(cookies).test(kept));
    if (!host.choice || host.isNeeded) withChoosing(() => {});
    setTimeout(() => {
      // It opens the storage, which no visitor has to wait for.
      addEventListener("storage", synchronise);
      synchronise();
      host.addStyle();
    }, QUIET_MS);
    addEventListener("pageshow", synchronise);
    addEventListener("visibilitychange", synchronise);
  };
  window.slagboom = api;
  // What is known here may be older than what comes: until then nothing is granted.
  if (coming) {
    host.applyChoice();
    coming.then(begin);
  } else begin();

  addEventListener(
    "click",
    (event) => {
      // As seen from inside a component.
      const path = /** @type {any[]} */ (event.composedPath());
      const opener = path.find((node) => node.matches?.("[data-slagboom=open]"));
      if (opener) {
        event.preventDefault();
        open(opener);
      }
    },
    // Before a menu or a dialog around it that keeps its clicks to itself.
    true,
  );
  new MutationObserver((changes) => {
    for (const { addedNodes, attributeName, removedNodes, target } of changes) {
      (attributeName ? [target] : addedNodes).forEach(host.tags.visit);
      // A page that builds its body anew without a new page keeps the way to the choice. Whoever
      // removes nothing else means it, and would do so again, for ever.
      removedNodes.forEach((node) => node === host.root || host.root.isConnected || host.showControl());
    }
  }).observe(document, { attributeFilter: ["data-consent"], childList: true, subtree: true });
  // Last of all: what the page has put under this name may be no list.
  api.push(...early);
};

const ownScript = /** @type {HTMLScriptElement | null} */ (document.currentScript);
/** @type {any} */
const { slagboom = [] } = window;
// A second script tag would ask twice: the first one counts. An array is what the page left here,
// with or without stand-ins for what the kit can do; an element of the page may have the name as its
// id. A module does not know its own tag: the kit is a classic script, or nothing.
if (ownScript && (!slagboom.granted || slagboom.pop)) {
  // The server puts the site's policy in place of the first name, and declares the last around this
  // script (bundle.py).
  try {
    // @ts-ignore -- the names are not of this script
    start(SLAGBOOM_CONFIG, ownScript, slagboom, sbParts);
  } catch (error) {
    // A page that has broken the language loads nothing that is held back, and hears of nothing.
    console.warn(error);
  }
}
