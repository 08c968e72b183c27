"""The hand-written messages, which a person has judged to be easy or hard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from shared.messages.requests.written_item import WrittenItem
from tests.benchmarks.day.phrases import Family

FILE: Final = Path(__file__).with_name("labelled_messages.jsonl")


class LabelledMessage(msgspec.Struct, frozen=True):
    """One line: a message, its domain, and what is known of its answer."""

    input: str | list[WrittenItem]
    domain: str
    hard: bool
    output_tokens: int


def labelled() -> Iterator[Family]:
    """Each message without a conversation before it, as a family that knows no other wording."""
    decoder = msgspec.json.Decoder(LabelledMessage)
    for message in map(decoder.decode, FILE.read_bytes().splitlines()):
        if isinstance(message.input, str):
            yield Family(
                name=message.domain,
                hard=message.hard,
                wordings=(message.input.replace("$", "$$"),),
                traps=(),
                slots=(),
                names=(),
                output_tokens=message.output_tokens,
            )
