"""Messages to be replayed, one for each line of a JSONL file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import msgspec
from rich.console import Console
from rich.progress import Progress

from deploy.cli.send.order import BadLine
from shared.errors import InvalidRequest
from shared.messages.body import Body
from shared.messages.stored_body import decode_body

_TOLD_EVERY: Final = 50_000
"""Lines between two words of progress where nobody watches a bar."""


class Observed(msgspec.Struct, frozen=True):
    """What a line may say beside its body."""

    output_tokens: Annotated[int, msgspec.Meta(ge=0)] | None = None
    """What its answer had."""
    hard: bool | None = None
    """Whether it needed the large model, where somebody has judged that."""


@dataclass(frozen=True, slots=True)
class ReplayedMessage:
    """One message and what is known of its answer."""

    body: Body
    output_tokens: int | None
    hard: bool | None

    @property
    def input_tokens(self) -> int:
        """Estimated from its instructions and its input."""
        return self.body.tokens()


_observed = msgspec.json.Decoder(Observed)


def read_message(line: bytes, number: int) -> ReplayedMessage | BadLine:
    """The message of a line: a JSON string, or an object like the body of POST /v1/responses."""
    try:
        if line.lstrip().startswith(b'"'):
            text = msgspec.json.decode(line, type=str)
            body, observed = Body.says(text), Observed()
        else:
            body, observed = decode_body(line), _observed.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return BadLine(number, f"is no message: {error}.")
    if not any(item.tokens() for item in body.input):
        return BadLine(number, 'is no message: its "input" is empty.')
    return ReplayedMessage(body, observed.output_tokens, observed.hard)


def read_messages(file: Path) -> Iterator[ReplayedMessage | BadLine]:
    """Every line that is not empty, with progress on stderr; raises InvalidRequest."""
    console = Console(stderr=True)
    try:
        with file.open("rb") as lines, Progress(console=console, transient=True) as progress:
            bar = progress.add_task("Replaying", total=file.stat().st_size)
            for number, line in enumerate(lines, start=1):
                progress.advance(bar, len(line))
                if not console.is_terminal and number % _TOLD_EVERY == 0:
                    sys.stderr.write(f"{number:,} lines\n")
                if line.strip():
                    yield read_message(line, number)
    except OSError as error:
        raise InvalidRequest(f"{file} cannot be read: {error.strerror}. Check the path.") from error
