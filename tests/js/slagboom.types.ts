// Never run: tsc checks it. What a page may write against slagboom.d.ts, and what it may not.
import type { Slagboom, SlagboomDecision, SlagboomNotice } from "../../static/js/slagboom.js";

// The stub, which also is right once the script has loaded.
window.slagboom = window.slagboom || [];
window.slagboom.push((kit) => {
  const isGranted: boolean = kit.granted("marketing");
  const decision: SlagboomDecision | null = kit.decision;
  const ready: Promise<SlagboomDecision> = kit.ready;
  const end: () => void = kit.on("change", ({ detail }) => detail.decision?.choices.statistics);
  kit.accept();
  kit.refuse();
  kit.withdraw();
  kit.open();
  const notice: Promise<SlagboomNotice> | undefined = kit.notice?.();
  kit.decide?.({ choices: { statistics: true }, services: {}, anonymise_ip: true });
  return [isGranted, decision, ready, end, notice];
});
document.addEventListener("slagboom:ask", ({ detail }) => detail.language.toUpperCase());

// @ts-expect-error -- until the script has loaded an array stands there
window.slagboom.granted("marketing");
declare const kit: Slagboom;
// @ts-expect-error -- no such event
kit.on("changed", () => {});
// @ts-expect-error -- undecided visitors have no decision
kit.decision.choices;
// @ts-expect-error -- a state is true or false
kit.decide?.({ choices: { statistics: "yes" } });
// @ts-expect-error -- the decision is the visitor's
kit.decision = null;
// @ts-expect-error -- only a policy with `interface: none` has it
kit.notice();
