"""The command line: serve, demo, policies, migrations; the DPO's commands stand in cli_log."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from slagboom_banner.assets import policies_directory, texts_directory
from slagboom_banner.rules import check_policies
from slagboom_banner.texts import read_texts
from slagboom_server import serving
from slagboom_server.cli_copy import copy_log
from slagboom_server.cli_evidence import checkpoint_commands, key_commands, verify_log
from slagboom_server.cli_log import DEFAULT_DATABASE, Database, log
from slagboom_server.migration import migrate as migrate_database
from slagboom_server.settings import Settings

if TYPE_CHECKING:
    from slagboom_banner.errors import Finding

app = typer.Typer(
    help="Self-hosted cookie consent: asks fairly, gates tags, proves each decision.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
policy = typer.Typer(help="Check the policy files.", no_args_is_help=True)
log.command("copy")(copy_log)
log.command("verify")(verify_log)
log.add_typer(checkpoint_commands, name="checkpoint")
app.add_typer(log, name="log")
app.add_typer(key_commands, name="key")
app.add_typer(policy, name="policy")

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
SHIPPED_POLICIES = policies_directory()
DEMO_DATABASE = "sqlite:///var/demo.db"
"""A log of its own: the demo's decisions are nobody's, and its notices name its stand-ins."""


def _print_warnings(findings: tuple[Finding, ...]) -> None:
    for finding in findings:
        sys.stderr.write(f"{finding}\n")


def _prepare_logging() -> None:
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    logging.getLogger("alembic").setLevel(logging.WARNING)


@app.command()
def serve(
    policies: Policies = Path("policies"),
    database: Database = DEFAULT_DATABASE,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    geo_database: GeoDatabase = None,
    trusted_proxies: TrustedProxies = "127.0.0.1",
    workers: Workers = 1,
    keys: Keys = None,
    timestamp_url: TimestampUrl = None,
) -> None:
    """Serve the banner and keep the consent log. SIGHUP reads the policies again."""
    _prepare_logging()
    settings = Settings(
        policies, database, host, port, geo_database, trusted_proxies, workers, keys, timestamp_url
    )

    def report(warnings: tuple[Finding, ...]) -> None:
        _print_warnings(warnings)
        sys.stdout.write(f"Slagboom listens on http://{host}:{port}/\n")
        sys.stdout.flush()

    serving.serve(settings, report)


@app.command()
def demo(
    policies: Policies = SHIPPED_POLICIES,
    database: Database = DEMO_DATABASE,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    geo_database: GeoDatabase = None,
    trusted_proxies: TrustedProxies = "127.0.0.1",
    workers: Workers = 1,
    keys: Keys = None,
    timestamp_url: TimestampUrl = None,
    vendors: Vendors = "local",
) -> None:
    """Serve three company sites with stand-in vendors, to try everything on one machine."""
    _prepare_logging()
    settings = Settings(
        policies, database, host, port, geo_database, trusted_proxies, workers, keys, timestamp_url
    )

    def report(warnings: tuple[Finding, ...]) -> None:
        sys.stdout.write(
            "Slagboom demo\n"
            f"  start here          http://localhost:{port}/\n"
            f"  D Soft              http://dsoft.localhost:{port}/\n"
            f"  Kresoft Systems     http://kresoft.localhost:{port}/\n"
            f"  SOFT4DOC            http://soft4doc.localhost:{port}/\n"
            f"  what vendors got    http://localhost:{port}/received\n"
            f"  the consent log     slagboom log list --database {database}\n"
            f"The policies have {len(warnings)} open points; "
            "`slagboom policy check` lists them. Ctrl+C stops.\n"
        )
        sys.stdout.flush()

    serving.serve_demo(settings, vendors, report)


@app.command()
def migrate(database: Database = DEFAULT_DATABASE) -> None:
    """Bring the database to the newest schema."""
    done = migrate_database(database)
    sys.stdout.write("migrated\n" if done else "nothing to do: the schema is the newest\n")


@policy.command()
def check(policies: Policies = Path("policies")) -> None:
    """Validate every policy of a folder and lint it against the law; code 2 for errors."""
    loaded, findings = check_policies(policies, read_texts(texts_directory()))
    errors = [finding for finding in findings if finding.severity == "error"]
    _print_warnings(findings)
    sys.stdout.write(
        f"{len(loaded)} policies read: {len(errors)} errors, "
        f"{len(findings) - len(errors)} warnings\n"
    )
    if errors:
        raise typer.Exit(2)
