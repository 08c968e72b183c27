"""A piece of a document, and what it is known by."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Final

import msgspec

from shared.index.generation_name import SPLITTER_VERSION

MOST_CHARACTERS: Final = 1200
"""Of a chunk, white space not counted: about 300 tokens of prose, 400 of code."""


class ChunkKind(StrEnum):
    """Which encoder a chunk is for."""

    PROSE = "prose"
    CODE = "code"


class UnreadableDocument(ValueError):
    """It is not what its name says, or cannot be read as that; the sentence says why."""


class Chunk(msgspec.Struct, frozen=True):
    """Text that stands together in its document, with what says where it belongs.

    Its lines are where it stands now and no part of what it is: a function that moved is the
    same chunk.
    """

    kind: ChunkKind
    language: str
    """Of a programming language its name, else of the format: `python`, `markdown`, `pdf`."""
    header: str
    """The path in its document: headings, or the qualified name and the signature."""
    symbol: str | None
    """The qualified name of the definition that it is, or is a part of."""
    text: str
    first_line: int
    """From 1; of a PDF the page."""
    last_line: int

    def key(self) -> str:
        """What equal chunks share, in any document, at any place: 32 hexadecimal digits.

        White space around the text is none of it, for it belongs to the neighbours as well.
        """
        text = self.text.strip()
        parts = (str(SPLITTER_VERSION), self.kind, self.language, self.header, text)
        spelt = "\0".join(parts).encode(errors="surrogatepass")
        return hashlib.sha256(spelt).hexdigest()[:32]


def weight(text: str) -> int:
    """The size that limits count: characters that are no white space."""
    return sum(map(len, text.split()))
