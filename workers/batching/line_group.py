"""Lines of a batch that become messages in one commit."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from shared.batches.work import Expanded, NewLine
from workers.batching.input_lines import InputLine
from workers.batching.line_message import LineMessage

_MOST_LINES: Final = 500
_MOST_BYTES: Final = 4 * 1024 * 1024
_BAD_REQUEST: Final = 400


class _Read(NamedTuple):
    number: int
    end: int
    became: LineMessage


class LineGroup:
    """What was read behind that place of the input, which is so many bytes and lines in it."""

    def __init__(self, place: int, number: int) -> None:
        self.lines: list[_Read] = []
        self.is_cut = False
        """Whether the input ends here because it was deleted."""
        self._place = place
        self._number = number
        self._bytes = 0

    @property
    def is_full(self) -> bool:
        return len(self.lines) >= _MOST_LINES or self._bytes >= _MOST_BYTES

    def add(self, line: InputLine, became: LineMessage) -> None:
        self.lines.append(_Read(line.number, line.end, became))
        self._bytes += len(line.text or b"")

    def following(self) -> LineGroup:
        """An empty one, of what is behind this."""
        if not self.lines:
            return LineGroup(self._place, self._number)
        return LineGroup(self.lines[-1].end, self.lines[-1].number)

    def apart(self) -> list[LineGroup]:
        """Its lines, each in a group of its own."""
        parts, place, number = list[LineGroup](), self._place, self._number
        for each in self.lines:
            part = LineGroup(place, number)
            part.lines.append(each)
            parts.append(part)
            place, number = each.end, each.number
        if parts:
            parts[-1].is_cut = self.is_cut
        return parts

    def refused(self, why: str) -> LineGroup:
        """The same lines, none of which becomes a message."""
        refused = LineGroup(self._place, self._number)
        refused.is_cut = self.is_cut
        for each in self.lines:
            line = msgspec.structs.replace(
                each.became.line,
                message_id=None,
                status_code=_BAD_REQUEST,
                error_code="invalid_value",
                error_message=why,
            )
            refused.lines.append(_Read(each.number, each.end, LineMessage(line, None)))
        return refused

    def expanded(self, *, is_last: bool) -> Expanded:
        """As it goes into the ledger; equal lines bring one message."""
        last = self.following()
        messages = {
            each.became.message.id: each.became.message
            for each in self.lines
            if each.became.message is not None
        }
        lines: list[NewLine] = [each.became.line for each in self.lines]
        return Expanded(
            begin_bytes=self._place,
            cursor_bytes=last._place,
            cursor_line=last._number,
            lines=lines,
            messages=[*messages.values()],
            is_last=is_last,
            is_cut=self.is_cut,
        )
