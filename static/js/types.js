/**
 * The shapes the client scripts share. The server writes Config and Notice (bundle.py, notice.py).
 *
 * @typedef {object} ServiceConfig
 * @property {string} id
 * @property {boolean} [full_ip]  never runs while the address is to be anonymised
 * @property {string[]} hosts  ends of `//host` (host_ends.py)
 * @property {string} [cookies]  expression that finds its cookies in document.cookie
 * @property {Partial<Record<StorageKind, string>>} [stored]  expressions for names elsewhere
 * @property {string[]} [types]  consent types a grant switches to granted
 * @property {[undecided: Step[], decided: Step[], after: Step[]]} [ahead]  run whatever is granted:
 * one of the first two when the page starts, the last at each later decision
 * @property {[path: string, keep: string][]} [queues]  lists a page may fill before the grant, and an
 * expression for commands that stay in them then; empty where none does
 * @property {Step[]} [load]
 * @property {Step[]} [after]  run at each later decision that leaves it granted
 * @property {Step[]} [deny]
 * @property {Step[]} [off]
 * @property {boolean} [reload]  only a new page silences it
 * @property {{hosts: string[], use_host: string | null} | null} [embed]
 *
 * @typedef {"local_storage" | "session_storage" | "indexed_db" | "cache_storage"} StorageKind
 *
 * @typedef {object} Step
 * @property {"set" | "push" | "queue" | "call" | "script" | "new"} do
 * @property {string} [path]
 * @property {string} [into]
 * @property {unknown} [value]
 * @property {boolean} [missing_only]
 * @property {unknown[]} [arguments]
 * @property {string} [src]
 * @property {Record<string, string>} [attributes]
 * @property {string} [defer_to]
 * @property {string[]} [methods]
 * @property {Step[]} [then]
 * @property {string} [of]
 * @property {Record<string, unknown>} [options]
 * @property {string} [keep]
 *
 * @typedef {[reopen: string, withdraw: string]} LanguageConfig  names of the permanent controls
 *
 * @typedef {object} Config
 * @property {string} site
 * @property {string} scope  digest of what is asked for; a choice for another scope is void
 * @property {string} build  digest of all parts, in their file names
 * @property {number} days  for which a choice holds
 * @property {string} domain  attribute of the choice cookie, or nothing
 * @property {string[]} purposes  those that need consent, in the policy's order
 * @property {Record<string, true>} necessary  purposes that need none
 * @property {string[]} [necessary_hosts]  of the services under those
 * @property {ServiceConfig[]} services  those of `purposes`, in the policy's order
 * @property {Record<string, LanguageConfig | null>} languages  the first is the fallback; null where
 * the site asks by itself: neither first layer nor control
 * @property {string} style
 *
 * @typedef {object} ChoosingConfig  what only taking a decision needs besides
 * @property {string} style  of all layers
 * @property {number} revision
 * @property {boolean} accept_anonymises
 * @property {Record<string, string>} notices  by language, the digest of what the layers show
 *
 * @typedef {object} BlockConfig
 * @property {("cookiebot" | "onetrust" | "vanilla-cookieconsent" | "klaro" | "orejime")[]} markup
 * tools whose marks count
 * @property {Record<string, string>} categories  their categories, as own purposes or services
 * @property {boolean} auto_block
 * @property {ServiceConfig[]} services  those to hold back, with nothing but id, hosts and embed
 *
 * @typedef {string[]} Choice  the fields of the choice cookie (cookie.js), all but its checksum
 *
 * @typedef {[cookie: string, decision: {previous: string | null, [field: string]: unknown}]} Unsent
 * a decision as the log takes it, and the cookie value of the choice it made
 *
 * @typedef {Record<string, boolean>} Grants  by id of a purpose or service
 *
 * @typedef {object} Answer  what a visitor decides, before it has ids and a time
 * @property {"accept_all" | "reject_all" | "save" | "withdraw" | "gpc"} action
 * @property {"first" | "second" | "placeholder" | "api"} layer
 * @property {string} purposes  one digit each, as in the choice cookie
 * @property {string} services
 * @property {boolean} anonymise_ip
 * @property {string} [language]  of the layer; the page's where it is left out
 *
 * @typedef {object} Tags  what releases marked scripts (tags.js)
 * @property {Map<HTMLScriptElement, [HTMLElement, (value?: unknown) => void]>} loading  scripts on
 * their way, with their marked tags and what settles them
 * @property {WeakSet<Node>} visited  tags already released, or waiting for those before them
 * @property {(tag: HTMLElement, address: string | null | undefined) => unknown} mayRun  something where it may
 * @property {() => Promise<unknown>} released  settles when every ordered script released so far has
 * run or failed
 * @property {(script: HTMLScriptElement, place: ChildNode, marked: HTMLElement) => void} run
 * @property {(node: Node) => void} visit  a node added to the page, or marked since
 *
 * @typedef {object} Host  what the gate offers the parts
 * @property {Config} config
 * @property {URL} base  the address the kit is served under, ending in a slash
 * @property {ReturnType<typeof import("./trusted.js").makeTrust>} trust
 * @property {import("./slagboom.js").Slagboom} api
 * @property {typeof import("./shared.js").shared} shared
 * @property {Tags} tags
 * @property {HTMLElement} root
 * @property {Choice | null} choice  the one in force
 * @property {Choice | null} earlier  the last one, in force or not; absent until there is one
 * @property {Grants} grants
 * @property {boolean} [isKept]  whether this browser has kept a choice, so that a missing cookie was
 * taken away
 * @property {boolean} [isNeeded]  whether the part that takes decisions has something to do
 * @property {boolean} [isStranded]  whether a part did not load, so that only the control is left
 * @property {() => boolean} applyChoice  brings tags and services in line with the choice; tells whether
 * only a new page silences what was stopped
 * @property {(host: Host) => void} [clearStored]  of services that are not granted, where one keeps
 * anything elsewhere than in cookies
 * @property {(layer?: string) => void} addStyle  one rule: all of a part's, in the kit's cascade layer; in
 * any case the kit's sheet is among the page's afterwards
 * @property {() => boolean} hasGranted
 * @property {() => string} readLanguage  the page's, where the policy has it
 * @property {(key: string) => Promise<Mount>} loadPart
 * @property {() => void} showControl  or takes it away where the first layer has its place
 * @property {(act: (part: Choosing) => void) => void} withChoosing
 *
 * @typedef {(host: Host, layers?: Layers) => any} Mount  makes a part
 *
 * @typedef {object} Choosing  what the part that takes decisions offers the gate
 * @property {(layer?: Answer["layer"], language?: string) => void} accept
 * @property {(layer?: Answer["layer"], language?: string) => void} refuse
 * @property {(answer: Answer) => void} decide
 * @property {(opener: Element | null) => void} open  the second layer
 * @property {(found: Choice | null) => void} take  a choice made elsewhere
 * @property {(tag: HTMLElement) => void} visit  a marked tag that is no script
 * @property {() => void} withdraw
 *
 * @typedef {object} Layers  what that part offers the layers
 * @property {Choosing["accept"]} accept
 * @property {(css: string) => void} addStyle
 * @property {boolean} [isCounted]  whether this page has told that it shows a first layer
 * @property {Choosing["decide"]} decide
 * @property {() => import("./slagboom.js").SlagboomDecision | null} earlier
 * @property {() => void} forget  the choice, because its record is gone
 * @property {typeof import("./choice/dom.js").h} h
 * @property {() => boolean} hadGrants  whether something was granted before an answer on this page,
 * whose scripts may still stand in it
 * @property {() => boolean} isUnsent  whether the log has not acknowledged the choice yet
 * @property {typeof import("./choice/dom.js").makeButton} makeButton
 * @property {ChoosingConfig["notices"]} notices
 * @property {Choosing["open"]} open
 * @property {typeof import("./choice/dom.js").outwardLink} outwardLink
 * @property {Choosing["refuse"]} refuse
 * @property {HTMLElement} status  speaks to assistive technology
 * @property {(name: import("./slagboom.js").SlagboomEventName) => void} tell  the page's listeners
 * @property {(frame: HTMLIFrameElement, service: ServiceConfig) => void} wantPlaceholder
 * @property {(act: (part: Answered) => void, otherwise?: () => void) => void} withAnswered  otherwise:
 * where that part is not to be had
 * @property {(act: (part: Care) => void) => void} withCare
 *
 * @typedef {object} Care  what few pages need
 * @property {(frame: HTMLIFrameElement) => void} showOnce  loads a gated frame until the page ends
 * @property {(tag: HTMLElement) => void} visit  a marked tag that is no script
 * @property {() => void} watch  deletes what services that are not granted store, now and later
 *
 * @typedef {object} Part  a layer, or the placeholders of embeds
 * @property {() => void} update  the choice has changed
 * @property {(element: Element | null) => void} [show]  the first layer, with a note on an earlier
 * answer; the second, with what opened it
 * @property {(frame: HTMLIFrameElement, service: ServiceConfig) => void} [placeholder]
 *
 * @typedef {object} Answered  what only a visitor who has answered before is told
 * @property {() => void} update
 * @property {() => HTMLElement} makeNote
 * @property {(status: HTMLElement) => void} sayWithdrawn
 * @property {(decision: import("./slagboom.js").SlagboomDecision, outcome: HTMLElement) => HTMLElement
 *   } makeRecord
 *
 * @typedef {object} OptionalParts  what stands before the gate where a policy needs it
 * @property {(host: Host) => boolean} [runServices]  starts and stops them; tells whether only a new page
 * silences what was stopped
 * @property {(host: Host) => void} [clearStored]  deletes what services that are not granted keep
 * @property {Promise<void>} [coming]  settles once a choice handed over from another domain has been
 * stored, or there is none
 * @property {Host} [gateHost]  the gate's own, for what stands behind it
 * @typedef {Record<string, Mount> & OptionalParts} Parts  by key: `choice`, `first-nl`
 */

/**
 * @typedef {object} FirstNotice  what the first layer draws, in one language (layers.py)
 * @property {string} language
 * @property {"bar" | "box" | "corner" | "centre"} layout
 * @property {string} [logo]
 * @property {string} [statement_url]
 * @property {string[]} purposes
 * @property {string} words  who is asked for, and how to withdraw
 * @property {Record<string, string>} texts
 *
 * @typedef {object} AnsweredNotice  what those are told who have answered before
 * @property {string} language
 * @property {string} site
 * @property {string} locale  the language as a browser knows it
 * @property {{revision: number, title: string, what: string}[]} [changes]
 * @property {[id: string, name: string][]} purposes
 * @property {Record<string, string>} texts
 *
 * @typedef {object} EmbedNotice  what stands in the place of frames
 * @property {string} language
 * @property {string} once
 * @property {string} always
 * @property {Record<string,
 *   [name: string, title: string, text: string, address: string | null, link: string]>} embeds
 * @property {Record<string, string>} purposes  of all services that need consent
 *
 * @typedef {object} SecondService
 * @property {string} id
 * @property {string} name
 * @property {string} purpose
 * @property {string} description
 * @property {string[]} [notes]
 * @property {[key: string, value: string][]} rows
 * @property {[pattern: string, kind: string, lifetime: string, purpose: string][]} [stored]
 * @property {[address: string, text: string]} [link]
 *
 * @typedef {object} SecondNotice  what the second layer draws
 * @property {string} language
 * @property {string} dates  since when it holds, and the revision
 * @property {string | null} statement_url
 * @property {[id: string, name: string, description: string, isNecessary: number][]} purposes
 * @property {SecondService[]} services
 * @property {string[]} columns  heads of the tables of what is stored
 * @property {string} rights_intro
 * @property {string[]} rights
 * @property {(string | null)[][]} offices  name, address, country and the rest
 * @property {[email: string | null, dpo: string | null]} contacts
 * @property {[name: string, website: string | null, place: (string | null)[],
 *   email: string | null][]} authorities
 * @property {string} hand_over
 * @property {Record<string, string>} texts
 */

export {};
