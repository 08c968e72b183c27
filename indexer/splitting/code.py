"""Code by its syntax tree: a chunk is a definition, a part of a large one, or small neighbours.

After cAST (Zhang et al. 2025, arXiv 2506.15655): large nodes are divided, small siblings merged.
Unlike there a definition of some size is never merged with its neighbour, so that an edit of one
function changes the chunk of that function alone.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Final

import msgspec
from tree_sitter import Node

from indexer.splitting.chunk import MOST_CHARACTERS, Chunk, ChunkKind, weight
from indexer.splitting.languages import GRAMMARS, parser_of
from indexer.splitting.outline import Definition, Outline, outline_of
from indexer.splitting.packing import pack_lines
from indexer.splitting.prose import Lines

MOST_PARSED_BYTES: Final = 1_000_000
"""The parser holds the interpreter while it works: half a second for as much as this."""
_FEWEST_CHARACTERS: Final = 250
"""A definition of so much stands alone."""
_DEEPEST: Final = 100
"""What nests deeper and is still too large is data or a joke, and cut by its lines."""
_LINE_END: Final = re.compile(rb"[ \t\r;,)}\]]{0,64}(?:\n|\Z)")
"""Bounded: a minified file is one line with a million ends of something."""


class SplitCode(msgspec.Struct, frozen=True):
    """A file of code in pieces, and what it defines and uses."""

    chunks: list[Chunk]
    outline: Outline


def split_code(text: str, language: str) -> SplitCode:
    """Chunks that cover the text; `language` is a key of GRAMMARS.

    What is too large to be parsed is cut by its lines, without an outline.
    """
    source = text.encode(errors="surrogatepass")
    if len(source) > MOST_PARSED_BYTES:
        return SplitCode([*split_lines(text, language)], Outline([], []))
    root = parser_of(language).parse(source).root_node
    outline = outline_of(root, source, GRAMMARS[language])
    symbols = _Symbols(outline.definitions)
    cutter = _Cutter(source, {(each.start, each.end) for each in outline.definitions})
    lines = Lines(text)
    chunks = []
    place, done = 0, 0
    for start, end in cutter.spans(root):
        # Bytes to characters: each part is counted once.
        place += len(source[done:start].decode(errors="surrogatepass"))
        said = source[start:end].decode(errors="surrogatepass")
        if said.strip():
            begun = end - len(source[start:end].lstrip())
            where = lines.of(place, place + len(said))
            chunks.append(_chunk(said, symbols.of(begun, end), language, where))
        place, done = place + len(said), end
    return SplitCode(chunks, outline)


def split_lines(text: str, language: str) -> Iterator[Chunk]:
    """By empty lines, then lines: code of a language that no tree is there for."""
    lines = Lines(text)
    for start, end in pack_lines(text, 0, len(text)):
        if text[start:end].strip():
            yield _chunk(text[start:end], None, language, lines.of(start, end))


def _chunk(text: str, symbol: Definition | None, language: str, where: tuple[int, int]) -> Chunk:
    header = f"{symbol.name}: {symbol.signature}" if symbol else ""
    name = symbol.name if symbol else None
    return Chunk(ChunkKind.CODE, language, header, name, text, *where)


class _Symbols:
    """Which definition a span belongs to, found without a look at all the others."""

    def __init__(self, definitions: list[Definition]) -> None:
        self._definitions = sorted(definitions, key=lambda each: (each.start, -each.end))
        self._starts = [each.start for each in self._definitions]
        self._above: list[int | None] = []
        """The innermost definition that each one stands in."""
        within: int | None = None
        for place, each in enumerate(self._definitions):
            within = self._holding(within, each.start, each.end)
            self._above.append(within)
            within = place

    def of(self, start: int, end: int) -> Definition | None:
        """The innermost that holds the span, or the one definition that the span holds."""
        last = bisect_right(self._starts, start) - 1
        found = self._holding(last if last >= 0 else None, start, end - 2)  # a break, a semicolon
        if found is not None:
            return self._definitions[found]
        first, behind = bisect_left(self._starts, start), bisect_left(self._starts, end)
        held = [each for each in self._definitions[first:behind] if each.end <= end]
        return held[0] if held and held[-1].end <= held[0].end else None

    def _holding(self, place: int | None, start: int, end: int) -> int | None:
        """Of the one at a place and those above it, the first that reaches over the span."""
        while place is not None:
            each = self._definitions[place]
            if each.start <= start and end <= each.end:
                break
            place = self._above[place]
        return place


class _Cutter:
    """Spans of bytes that cover a text without a gap."""

    def __init__(self, source: bytes, definitions: set[tuple[int, int]]) -> None:
        self._source = source
        self._definitions = definitions

    def spans(self, root: Node) -> Iterator[tuple[int, int]]:
        # The root begins at the first token and may end before the last: the text is the file's.
        whole = 0, len(self._source)
        if self._weight(*whole) <= _FEWEST_CHARACTERS:
            yield whole
        else:
            yield from self._cut(root, *whole)

    def _cut(self, node: Node, start: int, end: int, depth: int = 0) -> Iterator[tuple[int, int]]:
        """Of what is too large to stand as it is; a file is that sooner than a class in it."""
        parts = [*self._parts(node, start, end)]
        if depth > _DEEPEST or parts[0][0] == node:
            yield from self._by_lines(start, end)  # a leaf, or of comments alone
            return
        begun = start
        for child, first, last in parts:
            before, own = self._weight(begun, first), self._weight(first, last)
            if own > MOST_CHARACTERS:
                if before > _FEWEST_CHARACTERS:
                    yield begun, first
                    begun = first
                # What is small stands with what follows: a class's head with its first part.
                yield from self._cut(child, begun, last, depth + 1)
                begun = last
                continue
            is_definition = self._is_definition(child)
            stands_alone = is_definition and own >= _FEWEST_CHARACTERS
            is_full = before + own > MOST_CHARACTERS
            is_enough = is_definition and before >= _FEWEST_CHARACTERS
            if before and (is_full or stands_alone or is_enough):
                yield begun, first
                begun = first
            if stands_alone:
                yield begun, last
                begun = last
        if begun < end:
            yield begun, end

    def _parts(self, node: Node, start: int, end: int) -> Iterator[tuple[Node, int, int]]:
        """The children, each from the end of the one before; a comment goes with what it heads."""
        begun = start
        children = [each for each in node.children if "comment" not in each.type]
        for number, child in enumerate(children, 1):
            is_last = number == len(children)
            stop = end if is_last else min(self._end_of_line(child.end_byte), end)
            if stop > begun:
                yield child, begun, stop
                begun = stop
        if begun < end:
            yield node, begun, end

    def _end_of_line(self, place: int) -> int:
        """Behind the line break, where nothing but a sign or two stands before it."""
        found = _LINE_END.match(self._source, place)
        return found.end() if found else place

    def _is_definition(self, node: Node) -> bool:
        return (node.start_byte, node.end_byte) in self._definitions

    def _by_lines(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        text = self._source[start:end].decode(errors="surrogatepass")
        place = start
        for first, last in pack_lines(text, 0, len(text)):
            size = len(text[first:last].encode(errors="surrogatepass"))
            yield place, place + size
            place += size

    def _weight(self, start: int, end: int) -> int:
        return weight(self._source[start:end].decode(errors="replace"))
