"""What the operator sets. Every option is also an environment variable (cli.py)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MAX_BODY_BYTES = 8 * 1024
"""A decision is below 3 kB with sixty services; anything larger is none."""

MAX_WAITING_DECISIONS = 4096
"""How many decisions may wait for the disk before the browser is asked to come back."""

ANSWER_SECONDS = 10
"""How long a decision may wait for the disk, or a standby's, before its browser is asked so."""

RATE_LIMIT = 600
"""Ten a second: far more than the visitors behind one network decide, at the busiest site."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How one kit runs.

    policies: the folder of policy files, services in `services/` beneath. database: an SQLAlchemy
    URL. geo_database: a local MaxMind DB file, or None where countries stay unknown.
    trusted_proxies: addresses, comma-separated, whose forwarding headers name the visitor.
    workers: processes that share the port. keys: the folder of secrets, None for the usual place
    (keyring.py). timestamp_url: an authority that stamps checkpoints (RFC 3161), None for none.
    metrics_port: where figures are told, of several workers the next ports as well; None for
    nowhere. rate_limit: decisions that a network may send to a site in a minute, 0 for any number.
    """

    policies: Path
    database: str
    host: str
    port: int
    geo_database: Path | None = None
    trusted_proxies: str = "127.0.0.1"
    workers: int = 1
    keys: Path | None = None
    timestamp_url: str | None = None
    metrics_port: int | None = None
    rate_limit: int = RATE_LIMIT
