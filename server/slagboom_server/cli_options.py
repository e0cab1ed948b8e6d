"""What `serve` and `demo` can be told, each also through a variable of the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

Policies = Annotated[
    Path,
    typer.Option(envvar="SLAGBOOM_POLICIES", help="Folder of policies; services/ beneath."),
]
Host = Annotated[str, typer.Option(envvar="SLAGBOOM_HOST", help="Address to listen on.")]
Port = Annotated[
    int, typer.Option(envvar="SLAGBOOM_PORT", min=1, max=65535, help="Port to listen on.")
]
GeoDatabase = Annotated[
    Path | None,
    typer.Option(
        envvar="SLAGBOOM_GEO_DATABASE", help="Country database (.mmdb); none: country unknown."
    ),
]
TrustedProxies = Annotated[
    str,
    typer.Option(
        envvar="SLAGBOOM_TRUSTED_PROXIES",
        help="Proxies whose X-Forwarded-For is believed, comma-separated.",
    ),
]
Keys = Annotated[
    Path | None,
    typer.Option(
        envvar="SLAGBOOM_KEYS",
        help="Folder of secrets; none: beside an SQLite file, else var/keys.",
    ),
]
Workers = Annotated[
    int, typer.Option(envvar="SLAGBOOM_WORKERS", min=1, max=64, help="Processes that serve.")
]
Vendors = Annotated[
    Literal["local", "real"],
    typer.Option(envvar="SLAGBOOM_VENDORS", help="Stand-ins here, or the vendors' real hosts."),
]
TimestampUrl = Annotated[
    str | None,
    typer.Option(
        envvar="SLAGBOOM_TIMESTAMP_URL", help="Authority that stamps checkpoints (RFC 3161)."
    ),
]
MetricsPort = Annotated[
    int | None,
    typer.Option(
        envvar="SLAGBOOM_METRICS_PORT",
        min=1,
        max=65535,
        help="Tell figures at /metrics here; more workers, more ports: this and the next ones.",
    ),
]
RateLimit = Annotated[
    int,
    typer.Option(
        envvar="SLAGBOOM_RATE_LIMIT",
        min=0,
        help="Decisions of one network (/24, /48) to a site in a minute; 0: any number.",
    ),
]
LogShape = Annotated[
    Literal["text", "json"],
    typer.Option("--log-format", envvar="SLAGBOOM_LOG_FORMAT", help="Lines for people, or JSON."),
]
