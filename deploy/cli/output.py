"""What commands print: results on stdout, for people or as JSON; complaints on stderr."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from cyclopts import Parameter

_PIPE_WIDTH: Final = 240

AsJson = Annotated[bool, Parameter(name="--json", help="Print JSON instead of text.")]


def say(text: str) -> None:
    """One line of result."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def say_json(value: object) -> None:
    """One JSON value on one line."""
    say(msgspec.json.encode(value).decode())


def complain(*sentences: str) -> None:
    """What went wrong and how to mend it."""
    for sentence in sentences:
        sys.stderr.write(f"{sentence}\n")


def say_table(headings: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str) -> None:
    """A table, or one sentence when there is nothing to show."""
    if not rows:
        say(empty)
        return
    from rich import box
    from rich.console import Console
    from rich.table import Column, Table

    # The first column holds ids, which other commands want whole.
    columns = [Column(heading, no_wrap=heading == headings[0]) for heading in headings]
    table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    # Where nobody looks, nothing needs to be folded.
    console = Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH)
    console.print(table, markup=False)
