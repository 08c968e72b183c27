"""The beginning of a batch: what its first lines ask for, and how many lines there may be."""

from __future__ import annotations

from typing import Final

import msgspec

from shared.accepting.ledger_entry import DEFAULT_OUTPUT_TOKENS
from shared.costs.price import TokenCount
from shared.token_count import tokens_of_size

_MOST_LINES: Final = 500
_NOTHING: Final = msgspec.Raw(b"")


class _AskedFor(msgspec.Struct, frozen=True):
    """What of a request decides what it costs, on every endpoint."""

    model: str | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    max_output_tokens: int | None = None

    @property
    def output_limit(self) -> int | None:
        """The most that is to be written."""
        return self.max_output_tokens or self.max_completion_tokens or self.max_tokens


class _SampledLine(msgspec.Struct, frozen=True):
    # No union with None: msgspec takes nothing but null for one.
    body: msgspec.Raw = _NOTHING
    params: msgspec.Raw = _NOTHING


class Sample(msgspec.Struct, frozen=True):
    """What some of its requests take, by their models, and how many `lines` it may have."""

    requests: list[tuple[str | None, TokenCount]]
    lines: float

    @property
    def scale(self) -> float:
        """How many lines there may be for each of the requests."""
        return self.lines / max(len(self.requests), 1)


_line: Final = msgspec.json.Decoder(_SampledLine)
_asked: Final = msgspec.json.Decoder(_AskedFor)


def sample_of(beginning: bytes, input_bytes: int) -> Sample:
    """Of a batch of that size; a line that cannot be read is one all the same."""
    whole = beginning  # its last line may be cut
    if len(beginning) < input_bytes:
        whole = beginning[: beginning.rfind(b"\n") + 1] or beginning
    written = [line for line in whole.split(b"\n") if line.strip()]
    lines = len(written) * max(input_bytes / max(len(whole), 1), 1.0)
    return Sample([_read(line) for line in written[:_MOST_LINES]], lines)


def _read(line: bytes) -> tuple[str | None, TokenCount]:
    try:
        found = _line.decode(line)
        body = bytes(found.body) or bytes(found.params) or b"{}"
        asked = _asked.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        asked, body = _AskedFor(), line
    return asked.model, _tokens(asked, len(body))


def _tokens(asked: _AskedFor, size: int) -> TokenCount:
    output = min(asked.output_limit or DEFAULT_OUTPUT_TOKENS, DEFAULT_OUTPUT_TOKENS)
    return TokenCount(tokens_of_size(size), output)
