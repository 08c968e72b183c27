"""What came of every client and step, as docs/clients.md shows it."""

from __future__ import annotations

import msgspec

STEPS = {
    "question": "question",
    "stream": "stream",
    "stream_helper": "its own stream helper",
    "turns": "several turns",
    "conversation": "conversation",
    "tools": "tool over two turns",
    "streamed_tools": "the same streamed",
    "parallel": "two tools at once",
    "structured": "structured",
    "image": "image",
    "background": "background",
    "error": "errors",
}


class Result(msgspec.Struct, frozen=True):
    """Of one step; `said` is empty where all was as it should be."""

    row: str
    step: str
    said: str


class Table:
    """Results as they come."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, str]] = {}
        self._versions: dict[str, str] = {}
        self._missing: list[str] = []

    def add(self, results: list[Result], *, version: str) -> None:
        for result in results:
            self._rows.setdefault(result.row, {})[result.step] = result.said
            self._versions[result.row] = version

    def leave_out(self, name: str, why: str) -> None:
        self._missing.append(f"{name} could not be installed here: {why}")

    def text(self) -> str:
        """Markdown; `–` where a client has no such thing."""
        head = ["client", "version", *STEPS.values()]
        lines = [_line(head), "|---" * len(head) + "|"]
        for row, said in self._rows.items():
            signs = (_sign(said.get(step)) for step in STEPS)
            lines.append(_line([row, self._versions[row], *signs]))
        return "\n".join([*lines, *self._missing])


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _sign(said: str | None) -> str:
    return "–" if said is None else "✗" if said else "✓"
