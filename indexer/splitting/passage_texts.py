"""What a chunk is found by: the words that are searched, and the text of each of its vectors.

Nothing of its path is in them, so a file that moved is not embedded again. Changes here are a new
`SPLITTER_VERSION`: the figures in docs/evaluation.md are of this file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from indexer.splitting.chunk import Chunk, ChunkKind
from shared.storable_text import storable

_SAID_CHARACTERS: Final = 800
"""Of what a chunk says of itself; the encoder reads about 256 tokens of it."""
_LOOKED_AT: Final = 6_000
_WORD_EDGE: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[\W_]+")
_DEFINED: Final = re.compile(
    r"^[ \t]*(?:[a-z]+[ \t]+){0,4}?"
    r"(?:def|class|function|func|fn|struct|enum|interface|trait|impl|module|type)\b"
    r"([^:{;\n]{1,200})",
    re.MULTILINE,
)
"""The first line of a definition, without its keyword: its name, and what it takes."""
_DOCSTRING: Final = re.compile(
    r'"""(?P<double>.*?)"""|\'\'\'(?P<single>.*?)\'\'\'|/\*\*(?P<block>.*?)\*/', re.DOTALL
)
_REMARK_LINE: Final = re.compile(r"[ \t]*(?:#+(?!!)|//+!?|--+|\*+)[ \t]*")


class PassageTexts(msgspec.Struct, frozen=True):
    """One chunk in the words of each way of finding it."""

    body: str
    """Searched by words, shown and quoted: the chunk's text below its header."""
    for_text: str
    """What the text encoder reads: of code its name, its signature and its remarks, in words."""
    for_code: str | None
    """What the code encoder reads: its name in words, then the code; None of prose."""


def passage_texts(chunk: Chunk) -> PassageTexts:
    """The same for equal chunks; without halves of surrogate pairs, which no store keeps."""
    text = storable(chunk.text.strip("\n"))
    header = storable(chunk.header)
    body = f"{header}\n{text}" if header else text
    if chunk.kind is ChunkKind.PROSE:
        return PassageTexts(body, body, None)
    looked_at = text[:_LOOKED_AT]
    said = " ".join((header, *_DEFINED.findall(looked_at)))
    names = in_words(said)
    told = " ".join(filter(None, (names, *_remarks(looked_at))))
    for_code = f"{in_words(storable(chunk.symbol))}\n{text}" if chunk.symbol else text
    return PassageTexts(body, told[:_SAID_CHARACTERS] or in_words(looked_at), for_code)


def in_words(code: str) -> str:
    """Names cut where their spelling joins words: `getUserName` is `get User Name`."""
    return " ".join(filter(None, _WORD_EDGE.split(code[:_LOOKED_AT])))[:_SAID_CHARACTERS]


def _remarks(text: str) -> Iterator[str]:
    """The comment that the chunk begins with, and docstrings; what stands within is of code."""
    for line in text.splitlines():
        begun = _REMARK_LINE.match(line)
        if begun is None:
            break
        yield " ".join(line[begun.end() :].split())
    for found in _DOCSTRING.finditer(text):
        yield " ".join(next(filter(None, found.groups()), "").split())
