"""Prose by its headings: Markdown, reStructuredText and text without any."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from markdown_it import MarkdownIt

from indexer.splitting.chunk import Chunk, ChunkKind
from indexer.splitting.packing import pack_prose

_ADORNED: Final = re.compile(
    r"(?:^|(?<=\n))(?:(?P<over>(?P<o>[!-/:-@[-`{-~])(?P=o){2,})[ \t]*\n)?"
    r"(?P<title>[^\s][^\n]{0,200})\n(?P<under>(?P<u>[!-/:-@[-`{-~])(?P=u){2,})[ \t]*(?=\n|\Z)"
)
"""reStructuredText's titles: a line of one sign below the title, and perhaps above it."""
_HEADER_JOINT: Final = " > "
_TITLE_LENGTH: Final = 200
"""A heading that is never closed, or a paragraph with a line below it, is as long as its text."""


class Heading(NamedTuple):
    """A title and where it stands; level 1 is the highest."""

    start: int
    level: int
    title: str


def split_markdown(text: str) -> Iterator[Chunk]:
    """One section after another; a line in a code block is no heading."""
    yield from split_sections(text, _markdown_headings(text), "markdown")


def split_restructured_text(text: str) -> Iterator[Chunk]:
    """Likewise; levels are those of the signs in the order in which they first occur."""
    yield from split_sections(text, _adorned_headings(text), "rst")


def split_text(text: str) -> Iterator[Chunk]:
    """By paragraphs and sentences."""
    yield from split_sections(text, (), "text")


def split_sections(text: str, headings: Iterable[Heading], language: str) -> Iterator[Chunk]:
    """Chunks that cover the text; each lies in one section and names the headings above it."""
    lines = Lines(text)
    path: list[Heading] = []
    start = 0
    for heading in (*headings, Heading(len(text), 0, "")):
        header = _HEADER_JOINT.join(each.title[:_TITLE_LENGTH] for each in path)
        for first, last in pack_prose(text, start, heading.start):
            said = text[first:last]
            if said.strip():
                yield Chunk(ChunkKind.PROSE, language, header, None, said, *lines.of(first, last))
        path = [each for each in path if each.level < heading.level] + [heading]
        start = heading.start


class Lines:
    """Line numbers, from 1, of places in a text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._ends = [found.start() for found in re.finditer("\n", text)]

    def of(self, start: int, end: int) -> tuple[int, int]:
        """Of the first and the last character in a span that is no white space."""
        said = self._text[start:end]
        first = start + len(said) - len(said.lstrip())
        last = start + max(len(said.rstrip()) - 1, 0)
        return self._number(first), self._number(max(first, last))

    def _number(self, place: int) -> int:
        return bisect_right(self._ends, place - 1) + 1


def _markdown_headings(text: str) -> Iterator[Heading]:
    starts = [0, *(found.end() for found in re.finditer(r"\r\n?|\n", text))]
    # Its other rules for blocks decide what is a heading and what only looks like one.
    tokens = MarkdownIt("commonmark", {"maxNesting": 20}).disable("inline", True).parse(text)
    for place, token in enumerate(tokens):
        if token.type == "heading_open" and token.map is not None and token.level == 0:
            title = tokens[place + 1].content.strip()
            yield Heading(starts[token.map[0]], int(token.tag[1:]), title)


def _adorned_headings(text: str) -> Iterator[Heading]:
    levels: dict[tuple[str, bool], int] = {}
    for found in _ADORNED.finditer(text):
        over, under, title = found["over"], found["under"], found["title"].rstrip()
        if len(under) < len(title) or (over and over != under):
            continue
        level = levels.setdefault((under[0], over is not None), len(levels) + 1)
        yield Heading(found.start(), level, title)
