"""The help of every command, written out beforehand: to show it, nothing else is loaded.

`python -m deploy.cli.reference` writes the file, and a test holds it against the commands.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Final

HELP_FILE: Final = Path(__file__).with_name("help.txt")

_MARK: Final = "=== forebay"
_IN_A_PARAGRAPH: Final = re.compile(r"(?<=[^\n:])\n(?=[^\n ])")
_ASKS: Final = ("--help", "-h")


def written_help(arguments: Sequence[str]) -> str | None:
    """What `forebay COMMAND --help` shows, as wide as the terminal; None when that is not asked."""
    if arguments and arguments[-1] not in _ASKS:
        return None
    text = _sections().get(" ".join(arguments[:-1]))
    return None if text is None else folded(text, shutil.get_terminal_size().columns)


def as_file(pages: Mapping[str, str]) -> str:
    """The content of the file: the help of each command under its name."""
    return "".join(f"{_MARK} {name}".rstrip() + f"\n{text}\n" for name, text in pages.items())


def folded(text: str, width: int) -> str:
    """The text in lines of at most `width`; one that is set in goes on as far in."""
    paragraphs = _IN_A_PARAGRAPH.sub(" ", text)
    return "\n".join(part for line in paragraphs.splitlines() for part in _folded(line, width))


def _folded(line: str, width: int) -> list[str]:
    if len(line) <= width:
        return [line]
    margin = line[: len(line) - len(line.lstrip())]
    return wrap(line, width, subsequent_indent=margin, break_on_hyphens=False)


def _sections() -> Mapping[str, str]:
    return dict(_read(HELP_FILE.read_text(encoding="utf-8")))


def _read(content: str) -> Iterator[tuple[str, str]]:
    for section in content.split(_MARK)[1:]:
        name, _, text = section.partition("\n")
        yield name.strip(), text.removesuffix("\n")
