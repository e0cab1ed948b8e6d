"""The command line: serve, demo, policies, migrations; the DPO's commands stand in cli_log."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from slagboom_banner.assets import policies_directory
from slagboom_server.cli_backup import back_up_log, restore_log
from slagboom_server.cli_checkpoint import checkpoint_commands, key_commands
from slagboom_server.cli_copy import copy_log
from slagboom_server.cli_export import export_records
from slagboom_server.cli_log import DEFAULT_DATABASE, Database, log
from slagboom_server.cli_options import (
    GeoDatabase,
    Host,
    Keys,
    LogShape,
    MetricsPort,
    Policies,
    Port,
    RateLimit,
    TimestampUrl,
    TrustedProxies,
    Vendors,
    Workers,
)
from slagboom_server.cli_policy import policy
from slagboom_server.cli_receipt import write_receipt
from slagboom_server.cli_render import render_layer
from slagboom_server.cli_retention import erase_records, hold_commands, purge_records
from slagboom_server.cli_verify import verify_log
from slagboom_server.log_format import prepare_logging
from slagboom_server.migration import migrate as migrate_database
from slagboom_server.settings import RATE_LIMIT, Settings

if TYPE_CHECKING:
    from slagboom_banner.errors import Finding

_log = logging.getLogger(__name__)

app = typer.Typer(
    help="Self-hosted cookie consent: asks fairly, gates tags, proves each decision.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
log.command("copy")(copy_log)
log.command("export")(export_records)
log.command("erase")(erase_records)
log.command("purge")(purge_records)
log.command("receipt")(write_receipt)
log.command("verify")(verify_log)
log.add_typer(checkpoint_commands, name="checkpoint")
app.command("backup")(back_up_log)
app.command("restore")(restore_log)
app.add_typer(log, name="log")
app.add_typer(key_commands, name="key")
policy.command("render")(render_layer)
app.add_typer(policy, name="policy")
app.add_typer(hold_commands, name="hold")

SHIPPED_POLICIES = policies_directory()
DEMO_DATABASE = "sqlite:///var/demo.db"
"""A log of its own: the demo's decisions are nobody's, and its notices name its stand-ins."""


def _print_warnings(findings: tuple[Finding, ...]) -> None:
    for finding in findings:
        sys.stderr.write(f"{finding}\n")


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
    metrics_port: MetricsPort = None,
    rate_limit: RateLimit = RATE_LIMIT,
    log_format: LogShape = "text",
) -> None:
    """Serve the banner and keep the consent log. SIGHUP reads the policies again."""
    prepare_logging(log_format)
    settings = Settings(
        policies,
        database,
        host,
        port,
        geo_database,
        trusted_proxies,
        workers,
        keys,
        timestamp_url,
        metrics_port,
        rate_limit,
    )

    def report(warnings: tuple[Finding, ...]) -> None:
        if log_format == "json":
            for warning in warnings:
                _log.warning("%s", warning)
        else:
            _print_warnings(warnings)
        sys.stdout.write(f"Slagboom listens on http://{host}:{port}/\n")
        sys.stdout.flush()

    from slagboom_server.serving import serve as run  # noqa: PLC0415 -- 0.3 s for no other command

    run(settings, report)


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
    metrics_port: MetricsPort = None,
    rate_limit: RateLimit = RATE_LIMIT,
    log_format: LogShape = "text",
    vendors: Vendors = "local",
) -> None:
    """Serve three company sites with stand-in vendors, to try everything on one machine."""
    prepare_logging(log_format)
    settings = Settings(
        policies,
        database,
        host,
        port,
        geo_database,
        trusted_proxies,
        workers,
        keys,
        timestamp_url,
        metrics_port,
        rate_limit,
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

    from slagboom_server.serving import serve_demo  # noqa: PLC0415 -- likewise

    serve_demo(settings, vendors, report)


@app.command()
def migrate(database: Database = DEFAULT_DATABASE) -> None:
    """Bring the database to the newest schema."""
    done = migrate_database(database)
    sys.stdout.write("migrated\n" if done else "nothing to do: the schema is the newest\n")
