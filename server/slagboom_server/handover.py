"""Handing a visitor's choice over from one of a site's domains to another.

A token vouches for one decision on one way, for two minutes and once. It holds no secret and no
grant: only the number of the decision, under a signature over that, the way and the time. What the
visitor chose is read from the log when the token is redeemed.

A signature alone would not keep out a crafted link: anybody can decide for themselves, have their
own decision handed over and send others there. So a token is bound to the page it was made for, and
redeemed only for a browser that comes from there: a page cannot make up its referrer.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from slagboom_banner.errors import SlagboomError
from slagboom_server.choice_cookie import DAY_SECONDS, cookie_value
from slagboom_server.entry import to_entry
from slagboom_server.row import service_ids

if TYPE_CHECKING:
    import datetime as dt

    from slagboom_server.store import Store

TOKEN_SECONDS: Final = 120
"""A page reads a token within one minute of asking for it, and the next one may load slowly."""

KEY_NAME: Final = "hand-over.key"
KEY_BYTES: Final = 32
_TIME: Final = slice(16, 20)
_SIGNED: Final = 28
_SIGNATURE_BYTES: Final = 20


class HandOverRefused(SlagboomError):  # noqa: N818 - it names what happened
    """A choice is not handed over; the visitor is asked, and nothing is granted."""


@dataclass(frozen=True, slots=True)
class Way:
    """From which page to which: origins as browsers send them."""

    site: str
    source: str
    target: str


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
    text = json.dumps(["slagboom hand-over 1", way.site, way.source, way.target])
    return hmac.digest(key, text.encode() + payload, hashlib.sha256)[:_SIGNATURE_BYTES]


class Tokens:
    """Makes and redeems tokens. key: the secret that every process of one log has.

    Which tokens are spent is known to this process alone: another one of the same log would take a
    token again, within its two minutes and on the same way.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._spent: dict[bytes, int] = {}
        self._lock = threading.Lock()

    def make(self, way: Way, decision_id: UUID, now: dt.datetime) -> str:
        """A token of 64 letters, digits, hyphens and underscores."""
        expires_at = int(now.timestamp()) + TOKEN_SECONDS
        payload = decision_id.bytes + expires_at.to_bytes(4) + secrets.token_bytes(8)
        return base64.urlsafe_b64encode(payload + _sign(self._key, way, payload)).decode()

    def redeem(self, token: str, way: Way, now: dt.datetime) -> UUID:
        """The decision a token vouches for, which is spent from now on.

        Raises HandOverRefused for any other token than one made for this way in the last two
        minutes and not redeemed yet; which of these it is, nobody is told.
        """
        message = "the token is not, or no longer, good for this way"
        try:
            # Letters of another alphabet were passed over in silence otherwise.
            content = base64.b64decode(token.encode(), altchars=b"-_", validate=True)
        except ValueError as error:
            raise HandOverRefused(message) from error
        payload, signature = content[:_SIGNED], content[_SIGNED:]
        seconds = int(now.timestamp())
        expires_at = int.from_bytes(payload[_TIME])
        is_good = hmac.compare_digest(signature, _sign(self._key, way, payload))
        if not is_good or seconds >= expires_at or not self._spend(signature, expires_at, seconds):
            raise HandOverRefused(message)
        return UUID(bytes=payload[: _TIME.start])

    def _spend(self, signature: bytes, expires_at: int, now: int) -> bool:
        """Whether this is the first time; what has expired by itself is forgotten."""
        with self._lock:
            self._spent = {one: until for one, until in self._spent.items() if until > now}
            is_first = signature not in self._spent
            self._spent[signature] = expires_at
        return is_first


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
