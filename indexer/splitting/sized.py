"""Pieces of a size that a caller sets, out of those that a document has by itself."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from indexer.splitting.chunk import Chunk, ChunkKind
from shared.token_count import estimated_tokens

_BETWEEN: Final = "\n\n"


class ChunkSizes(msgspec.Struct, frozen=True):
    """How large a piece may be, and how much of it stands in the next one as well."""

    max_chunk_size_tokens: int
    chunk_overlap_tokens: int


def sized(chunks: Sequence[Chunk], sizes: ChunkSizes) -> Iterator[Chunk]:
    """Windows over their text, in order, each ending behind a word; tokens are estimated.

    A window is known by the header and the lines of the chunks that it begins and ends in.
    """
    said = [each.text.strip() for each in chunks]
    text = _BETWEEN.join(said)
    starts, at = list[int](), 0
    for each in said:
        starts.append(at)
        at += len(each) + len(_BETWEEN)
    for first, last in _windows(text, sizes):
        begins = chunks[bisect_right(starts, first) - 1]
        ends = chunks[bisect_right(starts, last - 1) - 1]
        is_code = begins.kind is ends.kind is ChunkKind.CODE
        yield Chunk(
            ChunkKind.CODE if is_code else ChunkKind.PROSE,
            begins.language,
            begins.header,
            None,
            text[first:last],
            begins.first_line,
            ends.last_line,
        )


def _windows(text: str, sizes: ChunkSizes) -> Iterator[tuple[int, int]]:
    if not text:
        return
    characters = len(text) / estimated_tokens(text)
    width = max(1, int(sizes.max_chunk_size_tokens * characters))
    overlap = int(sizes.chunk_overlap_tokens * characters)
    start = 0
    while start + width < len(text):
        end = _behind_a_word(text, start + width // 2, start + width)
        yield start, end
        back = max(end - overlap, start + 1)
        start = _behind_a_word(text, start + 1, back) if overlap else end
    yield start, len(text)


def _behind_a_word(text: str, least: int, most: int) -> int:
    """The last place between these two where a word ended; where none did, the last place."""
    for place in range(most, least, -1):
        if text[place - 1].isspace():
            return place
    return most
