/**
 * The shapes the client scripts share. The server writes Config and Notice (bundle.py, notice.py).
 *
 * @typedef {object} ServiceConfig
 * @property {string} id
 * @property {string} purpose
 * @property {boolean} [full_ip]  never runs while the address is to be anonymised
 * @property {string[]} hosts  `*.` in front covers subdomains
 * @property {Partial<Record<NoticeStored["kind"], string[]>>} [stored]  name patterns
 * @property {string[]} [types]  consent types a grant switches to granted
 * @property {[undecided: Step[], decided: Step[], after: Step[]]} [ahead]  run whatever is granted:
 * one of the first two when the page starts, the last at each later decision
 * @property {Step[]} [load]
 * @property {Step[]} [deny]
 * @property {Step[]} [off]
 * @property {boolean} [reload]  only a new page silences it
 * @property {{hosts: string[], use_host: string | null}} [embed]
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
 * @typedef {object} LanguageConfig
 * @property {string} notice  digest of what the layers show
 * @property {string} reopen  name of the permanent control
 * @property {string} withdraw  name of the withdrawal control
 * @property {"rtl"} [direction]  where it is not left to right
 *
 * @typedef {object} Config
 * @property {string} site
 * @property {number} revision
 * @property {string} scope  digest of what is asked for; a choice for another scope is void
 * @property {string} build  digest of all parts, in their file names
 * @property {number} lifetime_days
 * @property {string | null} cookie_domain
 * @property {boolean} accept_anonymises
 * @property {string[]} purposes  those that need consent, in the policy's order
 * @property {string[]} necessary  purposes that need none
 * @property {string[]} [necessary_hosts]  of the services under those
 * @property {ServiceConfig[]} services  those of `purposes`, in the policy's order
 * @property {Record<string, LanguageConfig>} languages  the first is the fallback
 * @property {string} style
 * @property {boolean} [own_interface]  the site asks by itself: neither first layer nor control
 *
 * @typedef {object} BlockConfig
 * @property {("cookiebot" | "onetrust" | "vanilla-cookieconsent" | "klaro" | "orejime")[]} markup
 * tools whose marks count
 * @property {Record<string, string>} categories  their categories, as own purposes or services
 * @property {boolean} auto_block
 * @property {ServiceConfig[]} services  those to hold back, with nothing but id, hosts and embed
 *
 * @typedef {object} Choice  what the cookie holds
 * @property {number} revision
 * @property {string} scope
 * @property {number} given  seconds since 1970
 * @property {number} lifetime_days
 * @property {string} consent_id
 * @property {string} decision_id
 * @property {boolean[]} purposes
 * @property {boolean[]} services
 * @property {boolean} anonymise_ip
 * @property {boolean} gpc  the browser's signal gave this answer, not a click
 *
 * @typedef {object} Grants
 * @property {Record<string, boolean>} purposes
 * @property {Record<string, boolean>} services
 *
 * @typedef {object} Answer  what a visitor decides, before it has ids and a time
 * @property {"accept_all" | "reject_all" | "save" | "withdraw" | "gpc"} action
 * @property {"first" | "second" | "placeholder" | "api"} layer
 * @property {boolean[]} purposes
 * @property {boolean[]} services
 * @property {boolean} anonymise_ip
 * @property {string} [language]  of the layer; the page's where it is left out
 *
 * @typedef {object} Host  what the gate offers the parts
 * @property {Config} config
 * @property {string} base  the address the kit is served under, ending in a slash
 * @property {HTMLElement} root
 * @property {() => Choice | null} choice  the choice in force
 * @property {() => Choice | null} earlier  the last choice, in force or not
 * @property {() => boolean} isUnsent  whether the log has not acknowledged it yet
 * @property {(answer: Answer) => void} decide
 * @property {(layer: Answer["layer"], language: string) => void} accept
 * @property {(layer: Answer["layer"], language: string) => void} refuse
 * @property {(opener: Element | null) => void} open  the second layer
 * @property {(frame: HTMLIFrameElement) => void} showOnce  loads a gated frame until the page ends
 * @property {import("./slagboom.js").Slagboom} api
 * @property {() => string} language  the page's, where the policy has it
 * @property {(name: import("./slagboom.js").SlagboomEventName) => void} tell  the page's listeners
 *
 * @typedef {object} Part  what the first and the second part offer the gate
 * @property {(opener: Element | null) => void} show  its layer
 * @property {() => void} update  the choice has changed
 * @property {(key: string) => void} say  tells a text to assistive technology
 * @property {(frame: HTMLIFrameElement, service: ServiceConfig) => void} placeholder
 */

/**
 * @typedef {object} NoticePurpose
 * @property {string} id
 * @property {string} name
 * @property {string} description
 * @property {boolean} necessary
 *
 * @typedef {object} NoticeStored
 * @property {"cookie" | "local_storage" | "session_storage" | "indexed_db" | "cache_storage"} kind
 * @property {string} pattern
 * @property {number | null} lifetime_days
 * @property {string} purpose
 * @property {string | null} reason
 *
 * @typedef {object} NoticeService
 * @property {string} id
 * @property {string} name
 * @property {string} purpose
 * @property {string} description
 * @property {{name: string, role: string, countries: string[], privacy_url: string | null}} vendor
 * @property {string[]} data
 * @property {string[]} hosts
 * @property {NoticeStored[]} stored
 * @property {boolean} needs_full_ip
 * @property {boolean} is_configured
 *
 * @typedef {object} NoticeAuthority
 * @property {string} name
 * @property {string} address
 * @property {string | null} phone
 * @property {string | null} email
 * @property {string | null} website
 *
 * @typedef {object} NoticeController
 * @property {string} name
 * @property {{country: string, address: string, phone: string | null, registration: string | null}[]} offices
 * @property {string | null} email
 * @property {string | null} dpo
 * @property {string | null} statement_url
 * @property {string} statement_date
 *
 * @typedef {object} FirstNotice  what the first layer and the placeholders show of a notice
 * @property {string} language
 * @property {"bar" | "box" | "corner" | "centre"} layout
 * @property {string | null} logo  a path on the page's own site
 * @property {string | null} statement_url
 * @property {string | null} full_ip  what accepting gives away, where it does
 * @property {{revision: number, date: string, what: string}[]} changes
 * @property {[name: string, description: string][]} purposes  those that need consent
 * @property {Record<string, {name: string, vendor: string, privacy_url: string | null}>} embeds
 * @property {Record<string, string>} texts
 *
 * @typedef {object} Notice  everything both layers show, in one language
 * @property {string} site
 * @property {string} language
 * @property {number} revision
 * @property {string} effective
 * @property {{revision: number, date: string, what: string}[]} changes
 * @property {NoticeController} controller
 * @property {NoticeAuthority[]} authorities
 * @property {boolean} accept_anonymises
 * @property {NoticePurpose[]} purposes
 * @property {NoticeService[]} services
 * @property {Record<string, string>} texts
 */
export {};
