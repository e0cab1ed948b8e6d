import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, mock, test } from "node:test";

import { clearQueue, runSteps } from "../../static/js/services/steps.js";

const CONSENT = { analytics_storage: "granted" };
/** @param {import("../../static/js/types.js").Step[]} steps */
const run = (...steps) =>
  runSteps(steps, {
    consent: () => CONSENT,
    nonce: "the-nonce",
    trust: (address) => address,
    scripts,
  });
/** @type {HTMLScriptElement[]} */
const scripts = [];

beforeEach(() => {
  globalThis.window = {};
});
afterEach(() => {
  delete globalThis.window;
  delete globalThis.document;
  scripts.length = 0;
  mock.restoreAll();
});

describe("set", () => {
  test("puts a value at a path", () => {
    window.vendor = {};
    run({ do: "set", path: "off", value: true }, { do: "set", path: "vendor.level", value: 2 });

    assert.deepEqual(window, { off: true, vendor: { level: 2 } });
  });

  test("leaves what stands there already when only a missing value is wanted", () => {
    window.kept = 0;
    run(
      { do: "set", path: "kept", value: 1, missing_only: true },
      { do: "set", path: "made", value: 1, missing_only: true },
    );

    assert.deepEqual(window, { kept: 0, made: 1 });
  });

  test("does nothing below something that is not there", () => {
    run({ do: "set", path: "nobody.at.home", value: 1 });

    assert.deepEqual(window, {});
  });

  test("fills in the time and the consent, at any depth, and no other string", () => {
    run({ do: "set", path: "all", value: ["{now}", { state: "{consent}", text: "at {now}" }] });

    assert.ok(window.all[0] instanceof Date);
    assert.deepEqual(window.all[1], { state: CONSENT, text: "at {now}" });
  });
});

describe("push", () => {
  test("makes the list when it is missing and keeps the order", () => {
    run({ do: "push", path: "list", value: 1 }, { do: "push", path: "list", value: 2 });

    assert.deepEqual(window.list, [1, 2]);
  });
});

describe("queue and call", () => {
  test("keep the raw arguments for the vendor's script to work off", () => {
    run(
      { do: "queue", path: "vendor", into: "vendorQueue" },
      { do: "call", path: "vendor", arguments: ["config", "{consent}"] },
    );

    const [kept] = window.vendorQueue;
    assert.equal(Object.prototype.toString.call(kept), "[object Arguments]");
    assert.deepEqual([...kept], ["config", CONSENT]);
  });

  test("never replace a function that is there", () => {
    const calls = [];
    window.vendor = (...given) => calls.push(given);
    run(
      { do: "queue", path: "vendor", into: "vendorQueue" },
      { do: "call", path: "vendor", arguments: ["hello"] },
    );

    assert.deepEqual(calls, [["hello"]]);
    assert.equal(window.vendorQueue, undefined);
  });

  test("do nothing where no such function exists", () => {
    run({ do: "call", path: "nobody", arguments: [1] }, { do: "call", path: "no.body" });

    assert.deepEqual(window, {});
  });
});

describe("script", () => {
  test("inserts one asynchronous script with the page's nonce", () => {
    const inserted = [];
    globalThis.document = {
      createElement: (name) => ({ name }),
      head: { append: (element) => inserted.push(element) },
    };
    run({ do: "script", src: "https://cdn.vendor.example/a.js" });

    assert.deepEqual(inserted, [
      { name: "script", async: true, nonce: "the-nonce", src: "https://cdn.vendor.example/a.js" },
    ]);
  });
});

describe("a script with steps of its own", () => {
  test("starts the vendor with its queue once it has loaded, and not before", () => {
    /** @type {HTMLScriptElement[]} */
    const inserted = [];
    globalThis.document = {
      createElement: () => ({}),
      head: { append: (element) => inserted.push(element) },
    };
    const queue = ["early"];
    window.vendor = { queue };
    run({
      do: "script",
      src: "https://cdn.vendor.example/a.js",
      then: [
        { do: "new", path: "vendor.queue", of: "vendor.Tag", options: { id: 7 }, keep: "q" },
        { do: "call", path: "vendor.queue.push", arguments: ["page", "{consent}"] },
      ],
    });
    assert.equal(window.vendor.queue, queue);

    window.vendor.Tag = class {
      constructor(options) {
        this.options = options;
      }

      push(...given) {
        this.given = given;
      }
    };
    inserted[0].onload();

    assert.deepEqual(window.vendor.queue.options, { id: 7, q: queue });
    assert.deepEqual(window.vendor.queue.given, ["page", CONSENT]);
  });

  test("is told of, for a withdrawal to end it on its way", () => {
    /** @type {HTMLScriptElement[]} */
    const inserted = [];
    globalThis.document = {
      createElement: () => ({}),
      head: { append: (element) => inserted.push(element) },
    };
    run({ do: "script", src: "https://cdn.vendor.example/a.js" });

    assert.deepEqual(scripts, inserted);
  });

  test("leaves the queue alone when the script brought nothing to start", () => {
    const error = mock.method(console, "error", () => {});
    window.queue = ["early"];
    run({ do: "new", path: "queue", of: "Nobody", keep: "q" });

    assert.deepEqual(window.queue, ["early"]);
    assert.equal(error.mock.callCount(), 1);
  });
});

test("a step that throws is reported and takes no other with it", () => {
  const error = mock.method(console, "error", () => {});
  window.broken = () => {
    throw new Error("the vendor's own fault");
  };
  run({ do: "call", path: "broken" }, { do: "set", path: "after", value: true });

  assert.equal(window.after, true);
  assert.equal(error.mock.callCount(), 1);
});

describe("what the page queued before the grant", () => {
  const SETTINGS = "^(js|config|consent|set.*)$";
  const asArguments = function () {
    return arguments;
  };

  test("is taken out of the list in place, all but the commands that stay and what is no event", () => {
    const kept = [
      asArguments("js", 0),
      asArguments("config", "G-1"),
      asArguments("consent", "default", {}),
      { pageType: "product" },
      ["setSiteId", "1"],
    ];
    window.list = [
      { event: "add_to_cart" },
      kept[0],
      asArguments("event", "click"),
      ...kept.slice(1),
      ["trackEvent", "video"],
      ["identify", { email: "a@b.example" }],
      [["trackPageView"]],
      () => window.list.push({ event: "from a function" }),
      "set",
      null,
    ];
    const { list } = window;

    clearQueue("list", SETTINGS);

    assert.equal(window.list, list);
    assert.deepEqual(list, kept);
  });

  test("is taken out whole where no command stays, flat words and settings too", () => {
    window.list = ["event", "purchase", { revenue_value: 10 }, ["config"], { pageType: "product" }];

    clearQueue("list", "");

    assert.deepEqual(window.list, []);
  });

  test("never takes a step's own words with it, in a list where commands stay", () => {
    run({ do: "push", path: "list", value: { event: "gtm.js" } });
    window.list.push({ event: "add_to_cart" });

    clearQueue("list", SETTINGS);

    assert.deepEqual(window.list, [{ event: "gtm.js" }]);
  });

  test("is left alone where there is no list", () => {
    window.tag = () => {};

    clearQueue("tag.queue", "");
    clearQueue("nobody.at.home", "");

    assert.equal(window.tag.queue, undefined);
    assert.equal("nobody" in window, false);
  });

  test("is never passed over in silence where it cannot be taken out", () => {
    window.list = Object.freeze(["event"]);

    assert.throws(() => clearQueue("list", ""), TypeError);
  });
});
