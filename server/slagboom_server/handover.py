"""Handing a visitor's choice over from one of a site's domains to another.

A token vouches for one decision on one way, for two minutes and once. It holds no secret and no
grant: only the number of the decision, under a signature over that, the way and the time. What the
visitor chose is read from the log when the token is redeemed.

A signature alone would not keep out a crafted link: anybody can decide for themselves, have their
own decision handed over and send others there. So a token is bound to the page it was made for, and
redeemed only for a browser that comes from there: a page cannot make up its referrer. That does not
keep out a link that somebody has left on that very page, so a token is bound to who asked for it as
well: the network and the user agent, of which nothing is kept, are part of what is signed.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from slagboom_banner.errors import SlagboomError
from slagboom_server.anonymise import find_network
from slagboom_server.choice_cookie import DAY_SECONDS, cookie_value
from slagboom_server.entry import to_entry
from slagboom_server.row import service_ids

if TYPE_CHECKING:
    from slagboom_server.store import Store

TOKEN_SECONDS: Final = 120
"""A page reads a token within one minute of asking for it, and the next one may load slowly."""

NOT_GOOD: Final = "the token is not, or no longer, good for this way"
"""What is said of every token that is refused, whatever is wrong with it."""

KEY_NAME: Final = "hand-over.key"
KEY_BYTES: Final = 32
_TIME: Final = slice(16, 20)
_SIGNED: Final = 28
_SIGNATURE_BYTES: Final = 20


class HandOverRefused(SlagboomError):  # noqa: N818 - it names what happened
    """A choice is not handed over; the visitor is asked, and nothing is granted."""


@dataclass(frozen=True, slots=True)
class Traveller:
    """Who sends a request, by what their other requests have in common with it.

    network: 3 or 6 bytes, as the log truncates an address. browser: a digest of the user agent.
    """

    network: bytes
    browser: bytes


def find_traveller(address: str, user_agent: str) -> Traveller:
    """Who sends a request. address: the visitor's own, behind whatever proxies they came through.

    Raises HandOverRefused where it is none: nobody could be told from anybody else.
    """
    network = find_network(address)
    if network is None:
        message = "the visitor's address is not known"
        raise HandOverRefused(message)
    return Traveller(network, hashlib.sha256(user_agent.encode()).digest())


@dataclass(frozen=True, slots=True)
class Way:
    """From which page to which, and who goes it: origins as browsers send them."""

    site: str
    source: str
    target: str
    by: Traveller


@dataclass(frozen=True, slots=True)
class Voucher:
    """What a good token says. digest: 20 bytes that no other token has."""

    decision_id: UUID
    digest: bytes
    expires_at: dt.datetime


@dataclass(frozen=True, slots=True)
class HandedChoice:
    """A choice that stands in the log.

    value: of its cookie. given_at: seconds since 1970. seconds_left: until it is asked for again.
    """

    value: str
    given_at: int
    seconds_left: int


def _sign(key: bytes, way: Way, payload: bytes) -> bytes:
    # As JSON no two ways are signed alike, whatever the names hold.
    pages = ["slagboom hand-over 2", way.site, way.source, way.target]
    text = json.dumps([*pages, way.by.network.hex(), way.by.browser.hex()])
    return hmac.digest(key, text.encode() + payload, hashlib.sha256)[:_SIGNATURE_BYTES]


class Tokens:
    """Makes and reads tokens. key: the secret that every process of one log has.

    Which tokens are spent is for the log to know (`Store.spend_token`), and so for all of them.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def make(self, way: Way, decision_id: UUID, now: dt.datetime) -> str:
        """A token of 64 letters, digits, hyphens and underscores."""
        expires_at = int(now.timestamp()) + TOKEN_SECONDS
        payload = decision_id.bytes + expires_at.to_bytes(4) + secrets.token_bytes(8)
        return base64.urlsafe_b64encode(payload + _sign(self._key, way, payload)).decode()

    def read(self, token: str, way: Way, now: dt.datetime) -> Voucher:
        """What a token says that is good on this way; whether it is spent is not asked here.

        Raises HandOverRefused for any other token than one made for this way in the last two
        minutes; which of these it is, nobody is told.
        """
        try:
            # Letters of another alphabet were passed over in silence otherwise.
            content = base64.b64decode(token.encode(), altchars=b"-_", validate=True)
        except ValueError as error:
            raise HandOverRefused(NOT_GOOD) from error
        payload, signature = content[:_SIGNED], content[_SIGNED:]
        expires_at = int.from_bytes(payload[_TIME])
        is_good = hmac.compare_digest(signature, _sign(self._key, way, payload))
        if not is_good or now.timestamp() >= expires_at:
            raise HandOverRefused(NOT_GOOD)
        ends = dt.datetime.fromtimestamp(expires_at, dt.UTC)
        return Voucher(UUID(bytes=payload[: _TIME.start]), signature, ends)


@dataclass(frozen=True, slots=True)
class Question:
    """What a site asks now, at a time. scope: a digest of it."""

    site: str
    scope: str
    now: dt.datetime


def find_choice(store: Store, question: Question, decision_id: UUID, origin: str) -> HandedChoice:
    """The choice of a decision that may be applied at `origin`.

    Raises HandOverRefused unless the decision stands in the log, is the visitor's newest, answers
    the question and has not expired, and its notice named that origin.
    """
    record = store.record(decision_id)
    if record is None or record.site != question.site:
        message = "the log holds no such decision"
        raise HandOverRefused(message)
    # By either clock: one that reached the log late may be the older one, and the other way round.
    for other in store.records_of(record.consent_id):
        if other.given_at > record.given_at or other.received_at > record.received_at:
            message = "the visitor has decided again since"
            raise HandOverRefused(message)
    notice = store.notice(question.site, record.notice)
    if notice is None or notice.document.get("scope") != question.scope:
        message = "the decision answers another question than this site asks now"
        raise HandOverRefused(message)
    named = notice.document.get("hand_over")
    if not isinstance(named, list) or origin not in named:
        message = "the notice the visitor saw did not name this domain"
        raise HandOverRefused(message)
    offer = notice.offer
    entry = to_entry(record, offer.purposes, service_ids(offer))
    value = cookie_value(entry, offer, question.scope)
    given_at = int(record.given_at.timestamp())
    lifetime_seconds = offer.consent_lifetime_days * DAY_SECONDS
    seconds_left = given_at + lifetime_seconds - int(question.now.timestamp())
    if value is None or seconds_left <= 0:
        message = "the choice has expired"
        raise HandOverRefused(message)
    return HandedChoice(value, given_at, seconds_left)
