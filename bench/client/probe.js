// Watches one page as its visitor sees it. The bench puts a subject, as JSON, in place of the name.
(() => {
  const { layer, accept } = SUBJECT;
  const seen = (window.bench = { visible: null, clickable: null, shift: 0, clicks: [], interaction: 0 });

  const opacity = (element) => {
    let product = 1;
    for (let at = element; at; at = at.parentElement) product *= getComputedStyle(at).opacity;
    return product;
  };
  const isInView = (element) => {
    const box = element.getBoundingClientRect();
    return (
      box.width > 1 && box.height > 1 &&
      box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth &&
      element.checkVisibility({ visibilityProperty: true })
    );
  };
  const takesClicks = (button) => {
    const box = button.getBoundingClientRect();
    const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    return button.contains(top);
  };
  // A message sent from a frame's callback arrives when that frame has been painted.
  const afterPaint = (act) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => act(performance.now());
    channel.port2.postMessage(0);
  };

  let lastBox = "";
  const watch = () => {
    const element = document.querySelector(layer);
    if (element && isInView(element)) {
      const shown = opacity(element);
      const { x, y, width, height } = element.getBoundingClientRect();
      const box = [x, y, width, height].map(Math.round).join();
      const button = document.querySelector(accept);
      const isReady =
        shown > 0.98 && box === lastBox && button && opacity(button) > 0.98 && takesClicks(button);
      lastBox = box;
      if (shown > 0.01) {
        afterPaint((now) => {
          seen.visible ??= now;
          if (isReady) seen.clickable ??= now;
          if (isReady) dispatchEvent(new Event("bench-ready"));
        });
      }
      if (isReady) return;
    }
    requestAnimationFrame(watch);
  };
  requestAnimationFrame(watch);

  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) seen.shift += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
  new PerformanceObserver((list) => {
    for (const { interactionId, duration } of list.getEntries()) {
      if (interactionId) seen.interaction = Math.max(seen.interaction, duration);
    }
  }).observe({ type: "event", durationThreshold: 16, buffered: true });
  addEventListener("click", (event) => seen.clicks.push(event.timeStamp), true);

  // Promises, not polls: asking again and again would itself keep the page busy.
  const within = (milliseconds, name, holds) =>
    new Promise((resolve) => {
      const check = () => holds() && resolve(true);
      addEventListener(name, check);
      setTimeout(() => resolve(false), milliseconds);
      check();
    });
  seen.untilClickable = (milliseconds) =>
    within(milliseconds, "bench-ready", () => seen.clickable !== null);
  seen.untilRun = (milliseconds, purposes) =>
    within(milliseconds, "bench-ran", () =>
      purposes.every((purpose) => purpose in (window.benchRan || {})));
})();
