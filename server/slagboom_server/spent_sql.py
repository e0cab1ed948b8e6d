"""Tokens of a hand-over that are spent, in an SQL database, until nobody can use them any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, text

from slagboom_server.row import to_ms
from slagboom_server.schema import spent_tokens

if TYPE_CHECKING:
    import datetime as dt

    from sqlalchemy import Connection

_CLOCKS_APART_MS: Final = 600_000
"""A node whose clock is behind takes a token for longer than one that throws its digest away."""

_SPEND: Final = text(
    "INSERT INTO spent_tokens (digest, expires_at) VALUES (:digest, :expires_at)"
    " ON CONFLICT DO NOTHING"
)


def spend(connection: Connection, digest: bytes, expires_at: dt.datetime, now: dt.datetime) -> bool:
    """Whether a token is spent for the first time; see `store.Store.spend_token`."""
    past = spent_tokens.c.expires_at <= to_ms(now) - _CLOCKS_APART_MS
    connection.execute(delete(spent_tokens).where(past))
    values = {"digest": digest, "expires_at": to_ms(expires_at)}
    return connection.execute(_SPEND, values).rowcount == 1
