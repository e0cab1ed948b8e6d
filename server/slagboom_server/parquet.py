"""Records as a Parquet file, for those who load millions of them into an analysis.

The columns are those of the CSV export, with types: times in UTC, lists of names, truth values. It
needs pyarrow, which is 170 MB and therefore an extra of its own.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final

from slagboom_banner.errors import SlagboomError
from slagboom_server.export import CSV_COLUMNS, describe_record, split_answers

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from slagboom_server.record import ConsentRecord

_GROUP: Final = 20_000
"""Records in memory and in one row group of the file; a few dozen megabytes."""

_TIMES: Final = frozenset({"received_at", "given_at", "valid_until"})
_LISTS: Final = frozenset(
    {
        "purposes_granted",
        "purposes_refused",
        "services_granted",
        "services_refused",
        "granted",
        "flags",
    }
)
_TRUTHS: Final = frozenset({"anonymise_ip", "gpc"})


def write_parquet(records: Iterable[ConsentRecord], out: Path) -> None:
    """Writes records as they come. Raises SlagboomError where pyarrow is not installed."""
    try:
        # It takes a third of a second to load, which only who asks for Parquet should wait.
        import pyarrow as pa  # noqa: PLC0415 -- see above
        import pyarrow.parquet as pq  # noqa: PLC0415 -- see above
    except ImportError as error:
        message = "Parquet needs an extra: pip install 'slagboom[parquet]', or use --format csv"
        raise SlagboomError(message) from error
    schema = pa.schema([(name, _type_of(name, pa)) for name in CSV_COLUMNS])
    rest = iter(records)
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:
        while group := [_flatten(record) for record in itertools.islice(rest, _GROUP)]:
            writer.write_table(pa.Table.from_pylist(group, schema), row_group_size=_GROUP)


def _type_of(name: str, pa: Any) -> Any:  # noqa: ANN401 -- pyarrow ships no types
    if name == "seq":
        return pa.int64()
    if name == "revision":
        return pa.int32()
    if name in _TIMES:
        return pa.timestamp("ms", "UTC")
    if name in _LISTS:
        return pa.list_(pa.string())
    return pa.bool_() if name in _TRUTHS else pa.string()


def _flatten(record: ConsentRecord) -> dict[str, object]:
    """A record as one value for each column."""
    return {
        **describe_record(record),
        "received_at": record.received_at,
        "given_at": record.given_at,
        "valid_until": record.valid_until,
        **split_answers(record.choices, record.services),
    }
