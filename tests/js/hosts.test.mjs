import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { serviceOf } from "../../static/js/hosts.js";

const SERVICES = [
  { id: "counter", hosts: ["//cdn.counter.example"] },
  { id: "chat", hosts: ["//chat.example", ".chat.example"] },
  { id: "video", hosts: [], embed: { hosts: ["//www.video.example"], use_host: null } },
];
/** @param {string} address */
const idOf = (address) => serviceOf(SERVICES, new URL(address))?.id;

describe("a registered host", () => {
  test("belongs to its service, whatever the rest of the address", () => {
    assert.equal(idOf("https://cdn.counter.example/a.js?b=c#d"), "counter");
    assert.equal(idOf("http://cdn.counter.example:8443/"), "counter");
    assert.equal(idOf("https://CDN.Counter.Example/"), "counter");
  });

  test("covers its subdomains only where an end says so", () => {
    assert.equal(idOf("https://a.chat.example/"), "chat");
    assert.equal(idOf("https://a.b.chat.example/"), "chat");
    assert.equal(idOf("https://a.cdn.counter.example/"), undefined);
  });

  test("may be that of an embed", () => {
    assert.equal(idOf("https://www.video.example/embed/1"), "video");
  });
});

describe("nobody's host", () => {
  const FOREIGN = [
    "https://counter.example/",
    "https://cdn.counter.example.evil.example/",
    "https://evilchat.example/",
    "https://chat.example.evil.example/",
    "https://evil.example/cdn.counter.example",
    "https://cdn.counter.example@evil.example/",
    "https://cdn.counter.example./",
    "data:text/javascript,cdn.counter.example",
    "javascript:alert('cdn.counter.example')",
    "blob:null/5a1ecafe",
  ];
  for (const address of FOREIGN) {
    test(`belongs to no service: ${address}`, () => {
      assert.equal(idOf(address), undefined);
    });
  }
});
