"""The demo as a moving picture: an SVG without scripts that shows each line when it came."""

from __future__ import annotations

import time
from collections.abc import Iterator
from html import escape
from pathlib import Path
from textwrap import wrap
from typing import Final, NamedTuple

_COLUMNS: Final = 96
_ROWS: Final = 26
_LINE: Final = 19
"""Pixels from one line to the next."""
_CHARACTER: Final = 8.2
_EDGE: Final = 18
_SPEED: Final = 3.0
"""Times as fast as it was."""
_STAYS_SECONDS: Final = 6.0
"""How long the end is shown before it begins again."""

_STYLE: Final = """
text { font: 13.6px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; white-space: pre }
.frame { fill: #12161c } .plain { fill: #d7dce2 } .good { fill: #5fd38d } .bad { fill: #ff7b72 }
.strong { fill: #ffffff; font-weight: 600 } .faint { fill: #8b949e }
"""


class _ShownLine(NamedTuple):
    at: float
    text: str
    style: str


class Recording:
    """Keeps lines with the time at which they came; `write` makes the picture of them."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._lines: list[_ShownLine] = []

    def add(self, text: str, style: str = "plain", *, indent: int = 0) -> None:
        """One piece of output, folded to the picture's width."""
        at = time.monotonic() - self._began
        for line in text.split("\n"):
            folded = wrap(line, _COLUMNS - indent) or [""]
            self._lines += [_ShownLine(at, " " * indent + each, style) for each in folded]

    def write(self, path: Path) -> None:
        """Raises OSError."""
        path.write_text("\n".join(self._svg()) + "\n", encoding="utf-8")

    def _svg(self) -> Iterator[str]:
        width = round(_COLUMNS * _CHARACTER + 2 * _EDGE)
        height = _ROWS * _LINE + 2 * _EDGE
        size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        yield f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">'
        yield "<title>What forebay demo prints, three times as fast</title>"
        yield f"<style>{_STYLE}{self._scrolling()}</style>"
        yield f'<rect class="frame" width="{width}" height="{height}" rx="8"/>'
        inside = f'width="{width - 2 * _EDGE}" height="{_ROWS * _LINE}"'
        yield f'<svg x="{_EDGE}" y="{_EDGE}" {inside}><g class="scroll">'
        for number, line in enumerate(self._lines):
            y = number * _LINE + 14
            yield f'<text class="{line.style}" y="{y}">{escape(line.text)}</text>'
        yield "</g></svg></svg>"

    def _scrolling(self) -> str:
        """The whole text moves up, a line with each that comes: what is to come lies below."""
        lasts = (self._lines[-1].at if self._lines else 0.0) / _SPEED + _STAYS_SECONDS
        steps = [f"0% {{ {_moved(0)} }}"]
        for number, line in enumerate(self._lines, start=1):
            share = line.at / _SPEED / lasts * 100
            steps.append(f"{share:.3f}% {{ {_moved(number)} }}")
        steps.append(f"100% {{ {_moved(len(self._lines))} }}")
        keyframes = f"@keyframes scroll {{ {' '.join(steps)} }}"
        motion = f".scroll {{ animation: scroll {lasts:.1f}s step-end infinite }}"
        end = f".scroll {{ animation: none; {_moved(len(self._lines))} }}"
        # Who wants nothing to move sees the end.
        still = f"@media (prefers-reduced-motion: reduce) {{ {end} }}"
        return f"{keyframes} {motion} {still}"


def _moved(lines_there: int) -> str:
    return f"transform: translateY({(_ROWS - lines_there) * _LINE}px)"
