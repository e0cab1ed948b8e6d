"""The consent log for a reader at a terminal: rich tables for 80 columns and more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from slagboom_server.export import format_time

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import JsonValue
    from rich.console import RenderableType

    from slagboom_server.record import ConsentRecord
    from slagboom_server.report import Answers, Stats
    from slagboom_server.store import StoredNotice

_WIDE = 110
"""From this many columns on, a list also shows who answered."""

_BAR = 20


def list_records(records: Sequence[ConsentRecord], width: int) -> Table:
    """Records as a table, two lines or more for each. width: the terminal's columns."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_lines=False, padding=(0, 1))
    table.add_column("Received (UTC)\nDecision", no_wrap=True, width=36)
    table.add_column("Site\nLanguage")
    table.add_column("Action\nLayer")
    table.add_column("Purposes")
    if width >= _WIDE:
        table.add_column("Visitor\nClient", no_wrap=True, width=36)
    for record in records:
        cells: list[RenderableType] = [
            _two_lines(format_time(record.received_at), str(record.decision_id)),
            _two_lines(record.site, record.language),
            _two_lines(record.action.value, record.layer.value),
            _answers(record.choices),
        ]
        if width >= _WIDE:
            cells.append(_two_lines(str(record.consent_id), _client(record)))
        table.add_row(*cells)
    return table


def show_record(record: ConsentRecord, notice: StoredNotice | None) -> Group:
    """One record in full, with the words its visitor read."""
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    for label, value in (
        ("Decision", str(record.decision_id)),
        ("Visitor", str(record.consent_id)),
        ("Replaces", "nothing" if record.previous is None else str(record.previous)),
        ("Number", str(record.seq)),
        ("Site", record.site),
        ("Received", f"{format_time(record.received_at)} by the server's clock"),
        ("Given", f"{format_time(record.given_at)} by the visitor's clock"),
        ("Valid until", format_time(record.valid_until)),
        ("Action", f"{record.action.value} on layer {record.layer.value}"),
        ("Purposes", _answers(record.choices)),
        ("Services", _answers(record.services)),
        ("Anonymise IP", "yes" if record.anonymise_ip else "no"),
        ("May run", " ".join(record.granted) or "none"),
        ("Privacy signal", "GPC sent" if record.gpc else "none"),
        ("Regime", f"{record.regime.value}, country {record.country or 'unknown'}"),
        ("Network", record.ip or "not kept"),
        ("Client", _client(record)),
        ("Page", record.origin or "unknown"),
        ("Flags", " ".join(record.flags) or "none"),
        ("Notice", f"revision {record.revision}, {record.language}\n{record.notice}"),
    ):
        facts.add_row(label, value)
    shown = Text("The notice is not in this log.") if notice is None else _shown(notice)
    return Group(facts, Text("\nWhat was shown\n", style="bold"), shown)


def show_stats(stats: Stats) -> Group:
    """The counts as one table for each measure."""
    total = stats.decisions
    actions = {action.value: count for action, count in stats.actions.items()}
    days = {day.isoformat(): count for day, count in stats.days.items()}
    return Group(
        Text(f"{total:,} decisions\n", style="bold"),
        _counts("Action", actions, total),
        _rates("Purpose", stats.purposes),
        _rates("Service", stats.services),
        _counts("Language", stats.languages, total),
        _counts("Day (UTC)", days, max(days.values(), default=1)),
    )


def _two_lines(first: str, second: str) -> Text:
    return Text.assemble(first, "\n", (second, "dim"))


def _client(record: ConsentRecord) -> str:
    country = "" if record.country is None else f", {record.country}"
    return f"{record.browser} on {record.system}, {record.device.value}{country}"


def _answers(answers: Mapping[str, bool]) -> Text:
    lines = [
        Text(f"✓ {name}", style="green") if is_granted else Text(f"✗ {name}", style="red")
        for name, is_granted in answers.items()
    ]
    return Text("\n").join(lines) if lines else Text("none")


def _counts(title: str, counts: Mapping[str, int], whole: int) -> Table:
    """Counts beside bars. whole: the count that fills a bar."""
    table = _measure(title, "Decisions")
    for name, count in counts.items():
        table.add_row(name, f"{count:,}", _bar(count / whole))
    return table


def _rates(title: str, asked: Mapping[str, Answers]) -> Table:
    table = _measure(title, "Granted", "Refused", "Rate")
    for name, answers in asked.items():
        numbers = (f"{answers.granted:,}", f"{answers.refused:,}", f"{answers.rate:.1%}")
        table.add_row(name, *numbers, _bar(answers.rate))
    return table


def _measure(title: str, *numbers: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(title, min_width=18)
    for number in numbers:
        table.add_column(number, justify="right", min_width=9)
    table.add_column("", width=_BAR)
    return table


def _bar(part: float) -> Text:
    filled = round(part * _BAR)
    return Text.assemble("█" * filled, ("░" * (_BAR - filled), "dim"))


def _shown(notice: StoredNotice) -> Group:
    """The words of the first layer, then each purpose with its services."""
    document = notice.document
    texts = _mapping(document.get("texts"))
    lines: list[RenderableType] = []
    for key, style in (("first_title", "bold"), ("first_intro", ""), ("first_withdraw", "")):
        if texts.get(key):
            lines += [Text(str(texts[key]), style), Text("")]
    buttons = [str(texts[key]) for key in ("accept", "reject", "choose") if texts.get(key)]
    if buttons:
        lines += [Text(" ".join(f"[{button}]" for button in buttons)), Text("")]
    services = [_mapping(service) for service in _sequence(document.get("services"))]
    for purpose in (_mapping(item) for item in _sequence(document.get("purposes"))):
        lines += [
            Text(str(purpose.get("name")), style="bold"),
            Text(str(purpose.get("description"))),
        ]
        lines += [
            Padding(Text(_service_line(service)), (0, 0, 0, 2))
            for service in services
            if service.get("purpose") == purpose.get("id")
        ]
        lines.append(Text(""))
    lines.append(
        Text(f"Every word of it: --format json. First shown {format_time(notice.first_seen)}")
    )
    return Group(*lines)


def _service_line(service: Mapping[str, JsonValue]) -> str:
    vendor = _mapping(service.get("vendor")).get("name")
    return f"• {service.get('name')} ({vendor}): {service.get('description')}"


def _mapping(value: JsonValue) -> Mapping[str, JsonValue]:
    return value if isinstance(value, dict) else {}


def _sequence(value: JsonValue) -> Sequence[JsonValue]:
    return value if isinstance(value, list) else []
