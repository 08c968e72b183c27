"""The table at the end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

import msgspec
from rich.console import Console
from rich.table import Table

from tests.benchmarks.measurement import Better, Row

_VERDICTS = {None: "", True: "[green]reached[/]", False: "[red]not reached[/]"}


def print_table(rows: list[Row], console: Console) -> None:
    """Every row: ours, the stock way's, their ratio, and whether the target holds.

    What stands apart has columns of its own: a table for those rows that have the same.
    """
    for apart, some in groupby(rows, key=lambda row: tuple(row.apart)):
        console.print(_table(apart, some))


def _table(apart: Sequence[str], rows: Iterable[Row]) -> Table:
    table = Table("what", "on", "ours", *apart, "stock", "ratio", "target", "")
    table.box, table.pad_edge = None, False
    for column in table.columns[2:-2]:
        column.justify = "right"
    for row in rows:
        table.add_row(
            row.what,
            row.on,
            f"{_figure(row.ours)} {row.unit}",
            *(f"{_figure(figure)} {row.unit}" for figure in row.apart.values()),
            "" if row.stock is None else f"{_figure(row.stock)} {row.unit}",
            "" if row.ratio is None else f"{row.ratio:.2f}x",
            _target(row),
            _VERDICTS[row.reached],
        )
    return table


def as_json(rows: list[Row]) -> str:
    """The rows with their ratios, as one list."""
    return msgspec.json.encode(
        [
            {**msgspec.structs.asdict(row), "ratio": row.ratio, "reached": row.reached}
            for row in rows
        ]
    ).decode()


def _figure(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"


def _target(row: Row) -> str:
    sign = "≥" if row.better is Better.HIGHER else "≤"
    bounds = []
    if row.target is not None:
        bounds.append(f"{sign} {row.target:g}x")
    if row.limit is not None:
        bounds.append(f"{sign} {row.limit:g} {row.unit}")
    return ", ".join(bounds)
