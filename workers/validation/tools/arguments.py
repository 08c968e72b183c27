"""The arguments of a call: JSON, in which strings may be masked and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from workers.validation.verdict import ForbiddenSpan, without

FindSpans = Callable[[str], Sequence[ForbiddenSpan]]
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_NAMES: Final = re.compile(r"\s*:")


class Masking:
    """Arguments with a replacement in the strings that hold what is forbidden.

    `found` is what was forbidden, with its pattern; `is_clean` is false where it stands in no
    string that is a value: in a name, a number, or in what is no JSON.
    """

    def __init__(self, arguments: str, find_spans: FindSpans, replacement: str) -> None:
        self._find_spans = find_spans
        self._replacement = replacement
        self.found: list[tuple[str, str]] = []
        masked = _STRING.sub(self._masked, arguments) if _is_json(arguments) else arguments
        left = find_spans(masked)
        self.is_clean = not left
        if left and not self.found:
            self._note(masked, left)
        self.text = masked

    def _masked(self, string: re.Match[str]) -> str:
        if _NAMES.match(string.string, string.end()):
            return string[0]
        value = msgspec.json.decode(string[0], type=str)
        spans = self._find_spans(value)
        if not spans:
            return string[0]
        self._note(value, spans)
        return msgspec.json.encode(without(value, spans, self._replacement)).decode()

    def _note(self, text: str, spans: Sequence[ForbiddenSpan]) -> None:
        self.found += [(span.pattern, text[span.start : span.end]) for span in spans]


def words_in(arguments: str) -> Iterator[str]:
    """What the strings of the arguments say; all of it as it stands, where it is no JSON."""
    if not _is_json(arguments):
        yield arguments
        return
    for string in _STRING.findall(arguments):
        yield msgspec.json.decode(string, type=str)


def _is_json(arguments: str) -> bool:
    try:
        msgspec.json.decode(arguments)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False
    return True
