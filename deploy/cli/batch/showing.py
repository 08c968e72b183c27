"""A batch as people read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from deploy.cli.output import complain, moment, one_line, say_rows, say_table

ENDED: Final = frozenset({"completed", "failed", "expired", "cancelled"})
_MOST_FAULTS: Final = 20
_ENDS: Final = ("completed_at", "failed_at", "expired_at", "cancelled_at")


def show_batch(batch: Mapping[str, Any]) -> None:
    """How far it is, what it costs, and what is wrong with it."""
    aside = batch["forebay"]
    progress, estimate = aside["progress"], aside["estimate"] or {}
    pairs = [
        ("id", batch["id"]),
        ("status", batch["status"]),
        ("endpoint", batch["endpoint"]),
        ("model", batch.get("model")),
        ("lines", _lines(batch)),
        ("expired", _some(progress["expired"])),
        ("cancelled", _some(progress["cancelled"])),
        ("spent", _dollars(aside["cost"])),
        ("expected", _expected(estimate)),
        ("created", _at(batch["created_at"])),
        ("expected end", "" if is_ended(batch) else _at(estimate.get("ends_at"))),
        ("ended", _at(next((batch[name] for name in _ENDS if name in batch), None))),
        ("until", "" if is_ended(batch) else _at(batch["expires_at"])),
        ("output file", batch.get("output_file_id")),
        ("error file", batch.get("error_file_id")),
    ]
    say_rows([[(name, one_line(value)) for name, value in pairs]])
    faults = batch.get("errors", {}).get("data", [])
    for fault in faults[:_MOST_FAULTS]:
        where = "" if fault["line"] is None else f"Line {fault['line']}: "
        complain(f"{where}{one_line(fault['message'])}")
    if len(faults) > _MOST_FAULTS:
        complain(f"And {len(faults) - _MOST_FAULTS} more: see --json.")


def show_batches(batches: Sequence[Mapping[str, Any]]) -> None:
    """One line each."""
    rows = [
        (
            batch["id"],
            batch["status"],
            _at(batch["created_at"]),
            _lines(batch),
            _dollars(batch["forebay"]["cost"]),
            batch["endpoint"],
        )
        for batch in batches
    ]
    headings = ("id", "status", "created", "lines", "spent", "endpoint")
    say_table(headings, rows, empty="There are no batches. Make one: forebay batch submit FILE")


def is_ended(batch: Mapping[str, Any]) -> bool:
    """Whether nothing of it changes any more."""
    return batch["status"] in ENDED


def _lines(batch: Mapping[str, Any]) -> str:
    counts = batch["request_counts"]
    failed = f", {counts['failed']:,} failed" if counts["failed"] else ""
    return f"{counts['completed']:,} of {counts['total']:,} answered{failed}"


def _expected(estimate: Mapping[str, Any]) -> str:
    if not estimate:
        return ""
    told = f"{estimate['messages']:,} messages"
    if estimate["cost"] is None:
        return told
    alone = estimate["standard_cost"]
    return f"{told}, {_dollars(estimate['cost'])} as a batch, {_dollars(alone)} as single calls"


def _dollars(cost: Mapping[str, str] | None) -> str:
    return "" if cost is None else f"${cost['amount']}"


def _some(number: int) -> str:
    return f"{number:,}" if number else ""


def _at(seconds: int | None) -> str:
    return "" if seconds is None else moment(datetime.fromtimestamp(seconds, UTC))
