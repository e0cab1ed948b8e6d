/** What takes a decision, and what only a visitor who decides needs. It comes with the gate while a
 * choice is due; elsewhere the gate fetches it when it is wanted. */
import { CONSENT_ID, COOKIE_START, DECISION_ID, GIVEN, PURPOSES, SCOPE } from "../cookie.js";
import { h, makeButton, outwardLink } from "./dom.js";
import { makeUuid } from "./ids.js";
import { makeSender } from "./send.js";
import { makeUnsent } from "./unsent.js";
import { writeChoice } from "./write.js";

/** @typedef {import("../types.js").Answer} Answer */
/** @typedef {import("../types.js").Care} Care */
/** @typedef {import("../types.js").Choosing} Choosing */
/** @typedef {import("../types.js").Host} Host */
/** @typedef {import("../types.js").Part} Part */
/** @typedef {import("../types.js").Layers} Layers */
/** @typedef {import("../slagboom.js").SlagboomDecision} SlagboomDecision */
/** @typedef {import("../slagboom.js").SlagboomEventName} SlagboomEventName */

const LONGEST_WAIT_MS = 100;
const SEND_AFTER_MS = 300;
const LOOK_MS = 5000;

/** Global Privacy Control (https://www.w3.org/TR/gpc/). */
const hasGpc = () =>
  /** @type {{globalPrivacyControl?: unknown}} */ (navigator).globalPrivacyControl === true;

/** Acts as soon as the page has a body, which an async script may be ahead of. @param {() => void} act */
const whenBody = (act) => {
  if (document.body) act();
  else document.addEventListener("DOMContentLoaded", act, { once: true });
};

/** Acts when the next frame has been painted and the scripts released before it have run, which
 * otherwise wait for all that is done here; or when the page goes before that.
 * @param {() => Promise<unknown>} released @param {() => void} act
 * @param {() => void} leave  when the page goes, behind that */
const afterPaint = (released, act, leave) => {
  let isDone = false;
  const once = () => {
    if (!isDone) act();
    isDone = true;
  };
  // A page that is not seen paints nothing, scripts may be long on their way, and nobody who clicks
  // sees a tenth of a second.
  setTimeout(once, LONGEST_WAIT_MS);
  requestAnimationFrame(() => setTimeout(() => released().then(once)));
  addEventListener("pagehide", () => {
    once();
    leave();
  });
};

/** @param {import("../types.js").ChoosingConfig} own @param {Host} host @returns {Choosing} */
const makeChoosing = ({ accept_anonymises, notices, revision, style }, host) => {
  const { api, base, config, readLanguage: language, shared } = host;
  const { describeChoice, encodeChoice, readChoice, readCookies } = shared;
  const { purposes, services, site } = config;
  const { loading, mayRun } = host.tags;
  const unsent = makeUnsent(site, readChoice);
  let hadGrants = false;

  /** @param {string} css  in which every declaration of a property of CSS itself is important, and
   * none says so (styles.py) */
  const addStyle = (css) =>
    host.addStyle(css.replace(/[{;][a-z][^{};]*(?=[;}])/g, "$&!important"));

  /** Those that are there. @type {Map<string, Part>} */
  const parts = new Map();
  /** One place that speaks, for all layers. */
  const status = h("span.hidden", { role: "status" });
  /** @param {string} name @param {(part: any) => void} act
   * @param {() => void} [otherwise]  where the part is not to be had */
  const withPart = (name, act, otherwise) => {
    const key = `${name}-${language()}`;
    host.loadPart(key).then((mount) => {
      if (!parts.size) {
        addStyle(style);
        host.root.append(status);
      }
      const part = parts.get(key) || mount(host, layers);
      parts.set(key, part);
      act(part);
    }).catch((reason) => {
      // The control stays, and a later wish tries again.
      host.isStranded ||= name === "first";
      host.showControl();
      console.warn(reason);
      otherwise?.();
    });
  };
  /** @type {Promise<Care> | undefined} */
  let care;
  /** @param {(part: Care) => void} act */
  const withCare = (act) => {
    care = care || host.loadPart("care").then((mount) => mount(host, layers));
    care.then(act, (reason) => {
      care = undefined;
      console.warn(reason);
    });
  };
  /** Every part that is there shows the choice in force. */
  const update = () => parts.forEach((part) => part.update());

  /** @param {SlagboomEventName} name */
  const tell = (name) => {
    document.dispatchEvent(
      new CustomEvent(`slagboom:${name}`, {
        detail: { decision: api.decision, language: language() },
      }),
    );
  };

  /** Brings the page in line with the choice: what was granted first, for the visitor waits for it;
   * what is seen in the next frame; the rest behind that.
   * @param {() => void} keep  stores the choice
   * @param {() => void} follow  what else follows from it */
  const change = (keep, follow) => {
    const hadFocus = host.root.contains(document.activeElement);
    // What was shown once was shown under the answer before this one.
    document.querySelectorAll("[data-consent-once]").forEach((frame) => {
      frame.removeAttribute("data-consent-once");
    });
    hadGrants ||= services.some(({ id }) => host.grants[id]);
    const mustReload = host.applyChoice();
    for (const [script, [marked, done]] of loading) {
      if (mayRun(marked, script.src)) continue;
      // It may still arrive, but a script of another document does not run.
      new Document().adoptNode(script);
      done();
    }
    keep();
    afterPaint(host.tags.released, () => {
      parts.forEach((part) => part.update());
      host.showControl();
      const reopen = hadFocus && host.root.querySelector(".sb-reopen");
      if (reopen instanceof HTMLElement && !host.root.contains(document.activeElement)) {
        reopen.focus({ preventScroll: true });
      }
      withCare((part) => part.watch());
      follow();
      tell("change");
      // reload/main.js, which comes with every policy that may need it.
      if (mustReload) document.dispatchEvent(new Event("slagboom:reload"));
      // What was decided is sent by the page it was decided on.
    }, () => send());
  };

  /** @param {Answer} answer */
  const decide = ({ action, layer, language: shown = language(), ...chosen }) => {
    const now = Date.now();
    const previous = host.earlier;
    const choice = [
      "1",
      `${revision}`,
      config.scope,
      // Of two of one second the later counts. A clock set back makes no choice older than the last.
      `${Math.max(Math.floor(now / 1000), host.choice ? +host.choice[GIVEN] + 1 : 0)}`,
      `${config.days}`,
      previous ? previous[CONSENT_ID] : makeUuid(4, now),
      makeUuid(7, now),
      chosen.purposes,
      chosen.services,
      `${+chosen.anonymise_ip + (action === "gpc" ? 2 : 0)}`,
    ];
    host.choice = host.earlier = choice;
    change(
      () => writeChoice(config, encodeChoice(site, choice)),
      () => {
        host.isKept = readChoice(site, readCookies()) !== null;
        unsent.keep([
          ...unsent.read(),
          [
            encodeChoice(site, choice),
            {
              .../** @type {SlagboomDecision} */ (describeChoice(config, choice)),
              valid_until: undefined,
              previous: previous?.[DECISION_ID] ?? null,
              notice: notices[shown],
              language: shown,
              layer,
              action,
              gpc: hasGpc(),
            },
          ],
        ]);
        // The tags the visitor waits for go first; what waits is kept, should the page go before.
        setTimeout(send, SEND_AFTER_MS);
      },
    );
  };

  /** @param {boolean} value @param {Answer["action"]} action @param {Answer["layer"]} layer
   * @param {string} [shown] the language of the layer */
  const answerAll = (value, action, layer, shown) =>
    decide({
      action,
      layer,
      language: shown,
      purposes: `${+value}`.repeat(purposes.length),
      services: `${+value}`.repeat(services.length),
      anonymise_ip: !value || accept_anonymises,
    });
  /** @type {Choosing["accept"]} */
  const accept = (layer = "api", shown) => answerAll(true, "accept_all", layer, shown);
  /** Refusing what had been granted is a withdrawal. @type {Choosing["accept"]} */
  const refuse = (layer = "api", shown) =>
    answerAll(false, host.hasGranted() ? "withdraw" : "reject_all", layer, shown);

  /** A late answer to an earlier decision may have set that one's cookie again.
   * @returns {boolean} whether it was so */
  const repair = (found = readChoice(site, readCookies())) => {
    if (!found || !host.choice || +found[GIVEN] >= +host.choice[GIVEN]) return false;
    writeChoice(config, encodeChoice(site, host.choice));
    return true;
  };
  const send = makeSender(base, unsent, () => {
    repair();
    update();
  });

  /** The first layer stands where keyboards and screen readers meet it first, behind a skip link. */
  const placeFirst = () => {
    const first = document.body.firstElementChild;
    if (first && first.matches('a[href^="#"]')) first.after(host.root);
    else document.body.before(host.root);
    host.isStranded = false;
    host.showControl();
  };
  const draw = () => {
    if (!config.languages[language()]) return;
    whenBody(() => {
      placeFirst();
      /** @param {Element | null} [note] */
      const show = (note = null) => withPart("first", (part) => part.show(note));
      if (host.earlier) layers.withAnswered(({ makeNote }) => show(makeNote()), show);
      else show();
    });
  };
  const ask = () => {
    tell("ask");
    draw();
  };
  // A page of an application may change its language without a new page.
  new MutationObserver(() => {
    host.showControl();
    update();
    if (!host.choice) draw();
  }).observe(document.documentElement, { attributeFilter: ["lang"] });

  /** @type {Layers} */
  const layers = {
    accept,
    addStyle,
    decide,
    earlier: () => describeChoice(config, host.earlier),
    /** The visitor's records are erased: without a trace here either, they are asked anew. */
    forget: () => {
      host.choice = host.earlier = null;
      host.isKept = false;
      change(
        () => {
          document.cookie = `${COOKIE_START}; max-age=0; path=/${config.domain}`;
        },
        () => {
          unsent.keep([]);
          ask();
        },
      );
    },
    h,
    hadGrants: () => hadGrants,
    isUnsent: () => unsent.waiting().length > 0,
    makeButton,
    notices,
    open: (opener) => withPart("second", ({ show }) => show(opener)),
    outwardLink,
    refuse,
    status,
    tell,
    wantPlaceholder: (frame, service) =>
      withPart("embed", ({ placeholder }) => placeholder(frame, service)),
    withAnswered: (act, otherwise) => withPart("answered", act, otherwise),
    withCare,
  };

  const sendKept = () => {
    unsent.read();
    repair();
    send();
  };
  if (host.isNeeded) {
    sendKept();
    withCare((part) => part.watch());
  } else {
    // Nothing a visitor waits for; what care/ has to tell is for the author of the page.
    setTimeout(() => {
      sendKept();
      withCare(() => {});
    }, LOOK_MS);
  }
  // A withdrawal of which only the gate knew.
  if (host.earlier?.[PURPOSES] === "") answerAll(false, "withdraw", "first");
  if (!host.choice && hasGpc()) answerAll(false, "gpc", "api");
  if (!host.choice) ask();

  return {
    accept,
    refuse,
    decide,
    visit: (tag) => withCare((part) => part.visit(tag)),
    open: (opener) => {
      // The page's language may have changed before this was there.
      host.showControl();
      layers.open(opener);
    },
    withdraw: () => {
      refuse("first");
      layers.withAnswered(({ sayWithdrawn }) => sayWithdrawn(status));
    },
    take: (found) => {
      if (repair(found)) return;
      host.choice = found;
      change(
        () => {},
        () => {
          // Nothing is in force any more; but an answer to a newer question is not asked for again
          // here.
          if (!found && (!host.earlier || host.earlier[SCOPE] === config.scope)) {
            // The page first hears that the choice has changed.
            Promise.resolve().then(ask);
          }
        },
      );
    },
  };
};

// What loads a part declares the first name around it, and the server puts data in place of the other
// (bundle.py).
// @ts-ignore -- the names are not of this script
sbParts["choice"] = (/** @type {Host} */ host) => makeChoosing(SLAGBOOM_CHOOSING, host);
