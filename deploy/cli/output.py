"""What commands print: results on stdout, for people or as JSON; complaints on stderr."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from textwrap import wrap
from typing import Final

_GAP: Final = "  "
_NAME: Final = "forebay"
_LEAST_TEXT: Final = 20
"""Cells of the last column below which its text is no pleasure to read."""


def say(text: str) -> None:
    """One line of result."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def say_json(value: object) -> None:
    """One JSON value on one line; amounts as decimal strings, never as powers of ten."""
    import msgspec

    plain = msgspec.to_builtins(value, builtin_types=(Decimal, msgspec.Raw))
    say(msgspec.json.encode(_spelt_out(plain)).decode())


def as_typed() -> str:
    """The name to type for this command from here: its path, where PATH does not lead to it."""
    own = sys.argv[0]
    is_elsewhere = Path(own).name == _NAME and shutil.which(_NAME) is None
    return own if is_elsewhere else _NAME


def complain(*sentences: str) -> None:
    """What went wrong and how to mend it; nothing of it that a terminal would obey."""
    for sentence in sentences:
        sys.stderr.write(f"{for_terminal(sentence)}\n")


def moment(at: datetime | None) -> str:
    """A time for people, in UTC."""
    return "" if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"


def counted(count: int, thing: str) -> str:
    """`1 answer`, `2 answers`."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def say_table(headings: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str) -> None:
    """A table, or one sentence when there is nothing to show.

    It fits the terminal: the last column is folded, and where that is not enough each row becomes
    lines of its own. Ids are never cut, since other commands want them whole. Where nobody looks,
    each row is one line.
    """
    if not rows:
        say(empty)
        return
    cells = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(map(_width, column)) for column in zip(headings, *cells, strict=True)]
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else sum(widths) * 2
    before = sum(widths[:-1]) + len(_GAP) * (len(widths) - 1)
    if before + min(widths[-1], _LEAST_TEXT) > room:
        say_rows([zip(headings, row, strict=True) for row in cells])
        return
    say(_line(headings, widths))
    say("─" * min(room, before + widths[-1]))
    for row in cells:
        first, *more = wrap(row[-1], room - before, break_long_words=True) or [""]
        say(_line([*row[:-1], first], widths))
        for rest in more:
            say(" " * before + rest)


def say_rows(rows: Sequence[Iterator[tuple[str, str]] | Sequence[tuple[str, str]]]) -> None:
    """Each row as lines of a name and a value, an empty line between two; empty ones left out."""
    for number, row in enumerate(rows):
        if number:
            say("")
        pairs = [(name, value) for name, value in row if value]
        longest = max((len(name) for name, _ in pairs), default=0)
        for name, value in pairs:
            say(f"{name:<{longest}}{_GAP}{for_terminal(value)}")


def one_line(cell: object) -> str:
    """What a cell shows: no line break and nothing that a terminal would obey."""
    text = "" if cell is None else str(cell)
    return "".join(each if each.isprintable() else " " for each in text)


def for_terminal(text: str) -> str:
    """Text of others with its line breaks, and nothing that a terminal would obey."""
    return "\n".join(map(one_line, text.splitlines()))


def _spelt_out(value: object) -> object:
    match value:
        case Decimal():
            return f"{value.normalize():f}"
        case dict():
            return {key: _spelt_out(each) for key, each in value.items()}
        case list() | tuple():
            return [_spelt_out(each) for each in value]
    return value


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    pairs = zip(cells, widths, strict=True)
    return _GAP.join(cell + " " * (width - _width(cell)) for cell, width in pairs).rstrip()


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
