"""The vocabulary as frozen models: what a policy, a service and a decision are.

The terms are the field's own (controller, purpose, service, vendor, revision, notice). A field that
the company's statement leaves open holds a text that begins with `unknown:`; it is never shown to a
visitor, never sent to a vendor, and the legal lint reports it.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, model_validator

UNKNOWN_PREFIX = "unknown:"

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
Host = Annotated[str, Field(pattern=r"^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+$")]
ServiceHost = Annotated[str, Field(pattern=r"^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+$|^\{\w+\}$")]
"""A host, or a parameter that is one, as `{matomo_host}`; `load` puts the policy's host there."""
Text = Annotated[str, Field(min_length=1, max_length=4000)]
Localised = dict[Language, Text]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

ConsentType = Literal[
    "ad_storage",
    "analytics_storage",
    "ad_user_data",
    "ad_personalization",
    "functionality_storage",
    "personalization_storage",
    "security_storage",
]
"""The seven types of Google Consent Mode v2."""


def is_unknown(value: object) -> bool:
    """Whether a policy marks this value as not known yet."""
    return isinstance(value, str) and value.startswith(UNKNOWN_PREFIX)


class Model(BaseModel):
    """A frozen model that refuses fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Office(Model):
    """An establishment of the controller. registration: register and number, as `KvK 59326395`."""

    country: Country
    address: Text
    phone: Text | None = None
    registration: Text | None = None


class Controller(Model):
    """Who decides the purposes and means (GDPR Art. 4(7))."""

    name: Text
    offices: Annotated[tuple[Office, ...], Field(min_length=1)]
    email: Text
    dpo: Text | None = None
    privacy_statement: dict[Language, Text]
    statement_date: dt.date


class Authority(Model):
    """A supervisory authority (GDPR Art. 77). website: an https address."""

    name: Localised
    address: Text
    phone: Text | None = None
    email: Text | None = None
    website: Text | None = None


class LegalBasis(StrEnum):
    """The only grounds for storing or reading on a device (ePrivacy Art. 5(3))."""

    CONSENT = "consent"
    STRICTLY_NECESSARY = "strictly_necessary"


class Purpose(Model):
    """An aim for which data is stored, read or processed; the unit of consent."""

    id: Identifier
    legal_basis: LegalBasis
    name: Localised
    description: Localised


class Vendor(Model):
    """The third party behind a service.

    countries: where it processes the data (ISO 3166 alpha-2), the first one its seat.
    The role `own` is the site's own software: both it and privacy_url are then left out, because
    the place is the operator's choice and the privacy statement the controller's.
    """

    name: Text
    role: Literal["processor", "controller", "joint_controller", "own"]
    countries: tuple[Country, ...] = ()
    privacy_url: Text | None = None

    @model_validator(mode="after")
    def _require_disclosure(self) -> Self:
        if self.role != "own" and not (self.countries and self.privacy_url):
            message = "name the countries it processes data in and its privacy_url"
            raise ValueError(message)
        return self


class StoredItem(Model):
    """A cookie, storage key, database or cache a service may leave on the device.

    pattern: its name, `*` for any run of characters. lifetime_days: 0 for the session,
    null for storage without an end. reason: why it is strictly necessary, where it is.
    """

    kind: Literal["cookie", "local_storage", "session_storage", "indexed_db", "cache_storage"]
    pattern: Annotated[str, Field(pattern=r"^[^\s;,=]*[^\s;,=*][^\s;,=]*$")]
    lifetime_days: Annotated[int, Field(ge=0, le=800)] | None
    purpose: Localised
    reason: Localised | None = None


_NAME = r"(?:[A-Za-z_$]|\{\w+\})(?:[\w$-]|\{\w+\})*"
Path = Annotated[str, Field(pattern=rf"^{_NAME}(?:\.{_NAME})*$")]
"""A dotted path below `window`; a name may hold a parameter, as `ga-disable-{measurement_id}`."""


class SetStep(Model):
    """`window[path] = value`; with `missing_only`, only where nothing stands there yet.

    A string `{name}` inside a value is replaced by the service's parameter of that name;
    the whole strings `{now}` and `{consent}` become a Date and the state of the consent types.
    """

    do: Literal["set"]
    path: Path
    value: JsonValue
    missing_only: bool = False


class PushStep(Model):
    """`window[path].push(value)`."""

    do: Literal["push"]
    path: Path
    value: JsonValue


class QueueStep(Model):
    """A global function that pushes its raw `arguments` object onto the array at `into`.

    An array that is missing is made. A function that is there already stays. defer_to: a property
    of that function which the vendor's script sets, and which from then on takes the calls.
    methods: names of functions to hang on it, each pushing its own name and its arguments.
    """

    do: Literal["queue"]
    path: Path
    into: Path
    defer_to: Annotated[str, Field(pattern=r"^[A-Za-z_$][\w$]*$")] | None = None
    methods: tuple[Annotated[str, Field(pattern=r"^[A-Za-z_$][\w$]*$")], ...] = ()


class CallStep(Model):
    """`window[path](...arguments)`; nothing happens where no such function exists."""

    do: Literal["call"]
    path: Path
    arguments: tuple[JsonValue, ...] = ()


class NewStep(Model):
    """`window[path] = new window[of](options)`; `options[keep]` is what stood at `path` before."""

    do: Literal["new"]
    path: Path
    of: Path
    options: dict[str, JsonValue] = {}
    keep: Annotated[str, Field(pattern=r"^[A-Za-z_$][\w$]*$")]


class ScriptStep(Model):
    """Inserts `<script async src=…>`; `src` and the values of `attributes` may hold parameters.

    then: run once the script has loaded, for a vendor that is started by a call after that.
    """

    do: Literal["script"]
    src: Annotated[str, Field(pattern=r"^https://[^\s\"'<>]+$")]
    attributes: dict[
        Annotated[str, Field(pattern=r"^(id|crossorigin|data-[a-z0-9-]+)$")], Text
    ] = {}
    then: tuple[Annotated[CallStep | NewStep, Field(discriminator="do")], ...] = ()


Step = Annotated[SetStep | PushStep | QueueStep | CallStep | ScriptStep, Field(discriminator="do")]


class Queue(Model):
    """A list the vendor's script works off, which a page can fill before that script is there.

    What stands in it when the service starts after a decision on the page was told before the
    grant, and is taken out. keep: commands by their first word, `*` for any run of characters,
    that stay; with them stay objects without a field `event`. Without words nothing stays.
    """

    path: Path
    keep: tuple[Annotated[str, Field(pattern=r"^[A-Za-z][\w:]*\*?$")], ...] = ()


class Parameter(Model):
    """A value the site owner fills in, such as a measurement id. pattern: a regular expression."""

    description: Text
    pattern: Text


class Embed(Model):
    """A gated iframe. `hosts` name the frames it covers; `use_host` replaces the frame's host."""

    hosts: Annotated[tuple[Host, ...], Field(min_length=1)]
    use_host: Host | None = None


class Service(Model):
    """A vendor's concrete technology, as one file in `policies/services/` describes it.

    hosts: every host it may contact, `*.example.com` for subdomains.
    needs_full_ip: useless without the visitor's full address, so it never runs anonymised.
    queues: lists a page may have filled before the grant, see `Queue`.
    load: what starts it after a grant, in order. after: run at each later decision that leaves it
    granted, behind what that decision starts and stops. deny: run on each page while it is not
    granted, before anything else. off: run at withdrawal on a page where it had been started.
    on_withdrawal: `stop` where the off steps silence it, `reload` where only a new page does.
    sources: the vendor pages and data the file rests on.
    """

    id: Identifier
    name: Text
    vendor: Vendor
    purpose: Identifier
    description: Localised
    data: tuple[Localised, ...] = ()
    hosts: tuple[ServiceHost, ...] = ()
    stored: tuple[StoredItem, ...] = ()
    needs_full_ip: bool = False
    parameters: dict[str, Parameter] = {}
    consent_types: tuple[ConsentType, ...] = ()
    queues: tuple[Queue, ...] = ()
    load: tuple[Step, ...] = ()
    after: tuple[Step, ...] = ()
    deny: tuple[Step, ...] = ()
    off: tuple[Step, ...] = ()
    on_withdrawal: Literal["stop", "reload"] = "stop"
    embed: Embed | None = None
    sources: tuple[Text, ...] = ()


class ServiceUse(Model):
    """How a policy uses a service. purpose, on_withdrawal: override the service file's own.

    A service that only a new page silences cannot be told to `stop`.
    """

    id: Identifier
    purpose: Identifier | None = None
    on_withdrawal: Literal["stop", "reload"] | None = None
    parameters: dict[str, Text] = {}


class ReviewedException(Model):
    """A finding the company has looked at and answers for."""

    rule: Identifier
    service: Identifier
    reason: Text
    reviewed_by: Text
    reviewed_on: dt.date


class RecordSettings(Model):
    """What the consent log keeps. retention_days: from the end of the choice's validity."""

    ip: Literal["omitted", "truncated"] = "omitted"
    retention_days: Annotated[int, Field(ge=1, le=3660)] = 1826


Colour = Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")]


class Palette(Model):
    """A company's colours for one scheme; what is left out stays the theme's.

    surface: behind everything. text, quiet: on it. accent: the buttons, on_accent: their text.
    note: behind placeholders and what has changed. focus: the ring around what the keyboard is at.
    """

    surface: Colour | None = None
    text: Colour | None = None
    quiet: Colour | None = None
    line: Colour | None = None
    accent: Colour | None = None
    on_accent: Colour | None = None
    note: Colour | None = None
    focus: Colour | None = None

    def stand_ins(self) -> dict[str, str]:
        """Which of the other colours stands in for one that is left out.

        The theme's own note and focus ring go with the theme's surface and text alone.
        """
        found = {}
        if self.note is None and (self.surface or self.text):
            found["note"] = "surface"
        if self.focus is None and (self.surface or self.text or self.note):
            found["focus"] = "text"
        return found


Scheme = Literal["auto", "light", "dark"]


class Look(Model):
    """How the layers look on this site.

    layout: where the first layer stands: along the foot of the page, in a box at its start or its
    end, or in the middle. scheme: for a site that is light only, or dark only; `auto`, and left
    out, is what the visitor's browser prefers. logo: a path on the site itself, so that no third
    party is asked for it.
    """

    layout: Literal["bar", "box", "corner", "centre"] = "bar"
    light: Palette = Palette()
    dark: Palette = Palette()
    scheme: Scheme | None = None
    logo: Annotated[str, Field(pattern=r"^/[^\s\"'<>/\\][^\s\"'<>]*$")] | None = None


Region = Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")]
"""A country or a part of one (ISO 3166-2), as `BE` or `US-CA`."""


class RegionDefault(Model):
    """The state of consent types before an answer in some regions; those left out are denied."""

    regions: Annotated[tuple[Region, ...], Field(min_length=1)]
    types: Annotated[dict[ConsentType, Literal["denied", "granted"]], Field(min_length=1)]


class GoogleConsent(Model):
    """Google Consent Mode v2, for the services whose files speak it.

    mode: `basic` contacts Google after a grant only, `advanced` at once, denied until the answer.
    defaults: beside "everything denied", which holds everywhere else. wait_for_update_ms: how long
    a tag waits for the answer before it sends; of use in advanced mode.
    """

    mode: Literal["basic", "advanced"] = "basic"
    defaults: tuple[RegionDefault, ...] = ()
    wait_for_update_ms: Annotated[int, Field(ge=0, le=60_000)] = 0
    url_passthrough: bool = False
    ads_data_redaction: bool = True


class Change(Model):
    """What a revision changed, in each language. Shown when it asks again."""

    revision: Annotated[int, Field(ge=1)]
    date: dt.date
    what: Localised


class HandOver(Model):
    """A visitor's choice that goes along in links between a company's own domains.

    to: the origins that take it; any of the policy's origins may hand it over to them.
    """

    to: Annotated[tuple[Text, ...], Field(min_length=1, max_length=20)]


MarkupTool = Literal["cookiebot", "onetrust", "vanilla-cookieconsent", "klaro", "orejime"]
MarkupCategory = Annotated[str, Field(pattern=r"^[^\s,]+$")]


class Policy(Model):
    """One company site's policy: who asks, for what, under which promises.

    consent_lifetime_days: for yes and no alike. accept_all_anonymises_ip: whether a click on
    accept leaves "anonymise my IP address" on, so that services needing the full address stay off.
    interface: `none` where the site draws its own and answers for its fairness.
    google_consent: left out, the service files' own steps stand.
    hand_over: for domains that no cookie joins; left out, each domain asks for itself.
    markup: consent tools whose marks on tags count as the kit's own. markup_categories: what a
    category of theirs is here, a purpose or a service; the usual names are known. auto_block: hold
    back unmarked tags of registered hosts too; gate.js then stands first in head, without async.
    """

    site: Identifier
    origins: Annotated[tuple[Text, ...], Field(min_length=1)]
    cookie_domain: Host | None = None
    hand_over: HandOver | None = None
    controller: Controller
    authorities: Annotated[dict[Country, Authority], Field(min_length=1)]
    languages: Annotated[tuple[Language, ...], Field(min_length=1)]
    revision: Annotated[int, Field(ge=1, le=46655)]
    effective: dt.date
    changes: Annotated[tuple[Change, ...], Field(min_length=1)]
    consent_lifetime_days: Annotated[int, Field(ge=1, le=3660)] = 182
    record: RecordSettings = RecordSettings()
    export_outside_eea: Literal["excluded", "allowed"]
    ip_passed_on: Literal["excluded", "allowed"]
    accept_all_anonymises_ip: bool = True
    purposes: Annotated[tuple[Purpose, ...], Field(min_length=1, max_length=20)]
    services: Annotated[tuple[ServiceUse, ...], Field(min_length=1, max_length=60)]
    google_consent: GoogleConsent | None = None
    exceptions: tuple[ReviewedException, ...] = ()
    interface: Literal["kit", "none"] = "kit"
    markup: tuple[MarkupTool, ...] = ()
    markup_categories: dict[MarkupCategory, Identifier] = {}
    auto_block: bool = False
    theme: Identifier = "plain"
    look: Look = Look()
    texts: dict[Language, dict[str, Text]] = {}


class Layer(StrEnum):
    """Where the visitor answered."""

    FIRST = "first"
    SECOND = "second"
    PLACEHOLDER = "placeholder"
    API = "api"


class Action(StrEnum):
    """How the visitor expressed the decision."""

    ACCEPT_ALL = "accept_all"
    REJECT_ALL = "reject_all"
    SAVE = "save"
    WITHDRAW = "withdraw"
    GPC = "gpc"
    EXPIRE = "expire"


def _require_utc(value: dt.datetime) -> dt.datetime:
    if value.utcoffset() != dt.timedelta(0):
        message = "give the time in UTC, ending in Z"
        raise ValueError(message)
    return value


class Decision(Model):
    """What a browser sends after a visitor's decision (DESIGN: `POST decisions`).

    decision_id: UUIDv7 made by the client, the idempotency key. consent_id: UUIDv4, made at the
    first choice. choices, services: every purpose and service offered, true or false.
    given_at: the visitor's clock, UTC.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    decision_id: Annotated[UUID, Field(strict=False)]
    consent_id: Annotated[UUID, Field(strict=False)]
    previous: Annotated[UUID, Field(strict=False)] | None
    revision: Annotated[int, Field(ge=1, le=46655)]
    notice: Digest
    language: Language
    layer: Annotated[Layer, Field(strict=False)]
    action: Annotated[Action, Field(strict=False)]
    choices: Annotated[dict[Identifier, bool], Field(max_length=20)]
    services: Annotated[dict[Identifier, bool], Field(max_length=60)]
    anonymise_ip: bool
    gpc: bool
    given_at: Annotated[dt.datetime, AfterValidator(_require_utc)]
