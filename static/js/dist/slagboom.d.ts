/** The types of `window.slagboom`. Copy this file into a project, or name it under `types`. */

/** What was decided, as it stands in the visitor's choice cookie. */
export interface SlagboomDecision {
  consent_id: string;
  decision_id: string;
  revision: number;
  /** UTC, in ISO 8601. */
  given_at: string;
  /** UTC, in ISO 8601: when the visitor is asked again at the latest. */
  valid_until: string;
  anonymise_ip: boolean;
  /** Global Privacy Control gave this answer, not a click. */
  gpc: boolean;
  /** By purpose; those that need no consent are left out. */
  choices: Record<string, boolean>;
  /** By service. */
  services: Record<string, boolean>;
}

/** What every event carries as `detail`. */
export interface SlagboomDetail {
  decision: SlagboomDecision | null;
  /** The language the visitor is asked in: the page's, where the policy has it. */
  language: string;
}

/**
 * - `ask`: a choice is due, and the first layer is about to show;
 * - `open`, `close`: the second layer did;
 * - `change`: the visitor decided, in this tab or another one; told once the page shows it.
 */
export type SlagboomEventName = "ask" | "open" | "close" | "change";

/** An answer given in an interface of the site's own. What it does not name stays as the visitor
 * had chosen before, and refused where they had not. */
export interface SlagboomAnswer {
  /** By purpose; covers all services of the purpose that `services` does not name. */
  choices?: Record<string, boolean>;
  /** By service. */
  services?: Record<string, boolean>;
  anonymise_ip?: boolean;
}

export interface Slagboom {
  /** The decision in force, or null while a choice is due. */
  readonly decision: SlagboomDecision | null;
  /** Settles with the decision once one is in force, which for an undecided visitor may be never. */
  readonly ready: Promise<SlagboomDecision>;
  /** Whether a purpose or a service may run now. */
  granted(id: string): boolean;
  /** Shows the second layer. */
  open(): void;
  /** As the button does; soon, never at once. */
  accept(): void;
  refuse(): void;
  /** The same as refuse; recorded as a withdrawal where something had been granted. */
  withdraw(): void;
  /** Listens for `slagboom:<name>` on the document; the function returned ends that. */
  on(name: SlagboomEventName, listener: (event: CustomEvent<SlagboomDetail>) => void): () => void;
  /** Calls each function with the kit, soon but never at once. */
  push(...acts: SlagboomAct[]): void;
  /** What the site has to show, in the page's language. Only where the policy says
   * `interface: none`. */
  notice?(): Promise<SlagboomNotice>;
  /** Takes an answer; only where the policy says `interface: none`. Throws a TypeError for what the
   * policy does not know, and then decides nothing. */
  decide?(answer: SlagboomAnswer): void;
}

export interface SlagboomNotice {
  language: string;
  direction: "ltr" | "rtl";
  revision: number;
  purposes: { id: string; name: string; description: string; necessary: boolean }[];
  services: { id: string; name: string; purpose: string; description: string }[];
  texts: Record<string, string>;
  /** Controller, authorities, changes and the rest: see `notices/<digest>`. */
  [field: string]: unknown;
}

export type SlagboomAct = (slagboom: Slagboom) => void;

declare global {
  /** An array until the script has loaded: `(window.slagboom ||= []).push((kit) => …)`; with the
   * stand-ins of docs/api.md, the kit from the start. */
  var slagboom: Slagboom | SlagboomAct[] | undefined;
  interface Window {
    slagboom?: Slagboom | SlagboomAct[];
  }

  interface DocumentEventMap {
    "slagboom:ask": CustomEvent<SlagboomDetail>;
    "slagboom:open": CustomEvent<SlagboomDetail>;
    "slagboom:close": CustomEvent<SlagboomDetail>;
    "slagboom:change": CustomEvent<SlagboomDetail>;
  }
}
