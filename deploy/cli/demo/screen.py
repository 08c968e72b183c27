"""What the demo shows, and to whom: people, programs, and the file that it is recorded into."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from deploy.cli.demo.dollars import price_tag
from deploy.cli.output import say, say_json

if TYPE_CHECKING:
    from deploy.cli.demo.play import Played
    from deploy.cli.demo.recording import Recording


class Screen:
    """Scenes as they end, and remarks between them; programs get the scenes alone, as JSON."""

    def __init__(self, *, as_json: bool, record_into: Path | None) -> None:
        self._as_json = as_json
        self._record_into = record_into
        self._recording = None if record_into is None else _recording()

    def note(self, text: str) -> None:
        """A remark for people."""
        if not self._as_json:
            say(text)
        if self._recording is not None:
            self._recording.add(text, "faint")

    def show(self, played: Played) -> None:
        """A scene that has ended."""
        if self._as_json:
            say_json(played.flat())
        else:
            _print(played)
        if self._recording is not None:
            self._recording.add(_head(played), "strong" if played.ok else "bad")
            self._recording.add(played.told, indent=2)

    def close(self) -> None:
        """Writes the recording; raises OSError."""
        if self._recording is not None and self._record_into is not None:
            self._recording.write(self._record_into)


def _recording() -> Recording:
    from deploy.cli.demo.recording import Recording

    return Recording()


def _sign(played: Played) -> str:
    return "✓" if played.ok else "✗"


def _money(played: Played) -> str:
    return f"spent {price_tag(played.spent)}, saved {price_tag(played.saved)}"


def _head(played: Played) -> str:
    return f"{_sign(played)} {played.scene:<24}{played.seconds:5.1f} s   {_money(played)}"


def _print(played: Played) -> None:
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    line = Text.assemble(
        (f"{_sign(played)} ", "green" if played.ok else "bold red"),
        (f"{played.scene:<24}", "bold"),
        (f"{played.seconds:5.1f} s   ", "dim"),
        _money(played),
    )
    console = Console(highlight=False)
    console.print(line)
    told = Text(played.told, style="" if played.ok else "red")
    console.print(Padding(told, (0, 0, 0, 2), expand=False))
