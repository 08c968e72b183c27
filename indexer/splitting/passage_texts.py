"""What a chunk is found by: the words that are searched, and the text of each of its vectors.

Nothing of its path is in them, so a file that moved is not embedded again. Changes here are a new
`SPLITTER_VERSION`: the figures in docs/evaluation.md are of this file.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from indexer.splitting.chunk import Chunk, ChunkKind
from shared.storable_text import storable

_SAID_CHARACTERS: Final = 600
"""Of what a definition says of itself; the encoder reads about 128 tokens of it."""
_LOOKED_AT: Final = 4_000
_WORD_EDGE: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[\W_]+")
_REMARK: Final = re.compile(
    r'"""(?P<double>.*?)"""'
    r"|'''(?P<single>.*?)'''"
    r"|/\*(?P<block>.*?)\*/"
    r"|^[ \t]*(?:#+(?!!)|//+[/!]?|--+)(?P<line>[^\n]*)",
    re.DOTALL | re.MULTILINE,
)


class PassageTexts(msgspec.Struct, frozen=True):
    """One chunk in the words of each way of finding it."""

    body: str
    """Searched by words, shown and quoted: the chunk's text below its header."""
    for_text: str
    """What the text encoder reads: of code its name, its signature and its remarks, in words."""
    for_code: str | None
    """What the code encoder reads; None of prose."""


def passage_texts(chunk: Chunk) -> PassageTexts:
    """The same for equal chunks; without halves of surrogate pairs, which no store keeps."""
    text = storable(chunk.text.strip("\n"))
    header = storable(chunk.header)
    body = f"{header}\n{text}" if header else text
    if chunk.kind is ChunkKind.PROSE:
        return PassageTexts(body, body, None)
    said = " ".join((in_words(header), _remarks(text))).strip()
    return PassageTexts(body, said or in_words(text), text)


def in_words(code: str) -> str:
    """Names cut where their spelling joins words: `getUserName` is `get User Name`."""
    return " ".join(filter(None, _WORD_EDGE.split(code[:_LOOKED_AT])))[:_SAID_CHARACTERS]


def _remarks(text: str) -> str:
    """Comments and docstrings, as they are written."""
    looked_at = text[:_LOOKED_AT]
    said = (next(filter(None, found.groups()), "") for found in _REMARK.finditer(looked_at))
    return " ".join(" ".join(said).split())[:_SAID_CHARACTERS]
