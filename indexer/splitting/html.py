"""HTML as people read it: without scripts, a line for each block, sections by headings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

from indexer.splitting.chunk import Chunk, UnreadableDocument
from indexer.splitting.prose import Heading, split_sections

_UNREAD: Final = ["script", "style", "noscript", "template", "svg"]
_INLINE: Final = frozenset({
    "a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "dfn", "em", "font", "i", "kbd",
    "label", "mark", "q", "s", "samp", "small", "span", "strong", "sub", "sup", "time", "tt", "u",
    "var", "wbr", "-text",
})  # fmt: skip
_HEADING: Final = re.compile("h([1-6])")
_KEPT: Final = frozenset({"pre", "textarea"})
_BLANKS: Final = re.compile(r"\s+")
_TAG: Final = re.compile(r"<(?P<end>/?)(?P<name>[a-z][^\s/<>]*)(?P<rest>[^<>]*)", re.IGNORECASE)
_CLOSED_BY_OTHERS: Final = frozenset({
    "area", "base", "body", "br", "col", "colgroup", "dd", "dt", "embed", "head", "hr", "html",
    "img", "input", "li", "link", "meta", "option", "p", "source", "tbody", "td", "tfoot", "th",
    "thead", "tr", "track", "wbr",
})  # fmt: skip
"""They need no end: they hold nothing, or the next of their kind ends them."""
_DEEPEST: Final = 5_000
"""The parser looks at all that is open for many a tag. Browsers stop at 512."""


def split_html(text: str) -> Iterator[Chunk]:
    """Chunks of the text of the page; lines are those of that text. Raises UnreadableDocument."""
    if _nests_deeply(text):
        raise UnreadableDocument(
            f"It opens more than {_DEEPEST} elements in each other: cut as text."
        )
    tree = LexborHTMLParser(text)
    tree.strip_tags(_UNREAD)
    page = _Page()
    if tree.body is not None:
        page.read(tree.body)
    yield from split_sections(page.text(), page.headings, "html")


def _nests_deeply(text: str) -> bool:
    """Told by the tags alone, as many as are open at once."""
    open_names, counts = list[str](), Counter[str]()
    for tag in _TAG.finditer(text):
        name = tag["name"].lower()
        is_drawing = tag["rest"].endswith("/") and (counts["svg"] > 0 or counts["math"] > 0)
        if name in _CLOSED_BY_OTHERS or is_drawing:
            continue
        if not tag["end"]:
            open_names.append(name)
            counts[name] += 1
            if len(open_names) > _DEEPEST:
                return True
        while tag["end"] and counts[name]:
            last = open_names.pop()
            counts[last] -= 1
            if last == name:
                break
    return False


class _Page:
    def __init__(self) -> None:
        self.headings: list[Heading] = []
        self._pieces: list[str] = []
        self._length = 0

    def text(self) -> str:
        return "".join(self._pieces)

    def read(self, body: LexborNode) -> None:
        """Node by node and without recursion: pages nest as deep as somebody likes."""
        waiting: list[tuple[LexborNode, bool, bool]] = [(body, False, False)]
        in_title: LexborNode | None = None
        while waiting:
            node, is_left, is_kept = waiting.pop()
            name = node.tag or ""
            if name == "-text":
                said = node.text_content or ""
                self._say(said if is_kept else _BLANKS.sub(" ", said), is_kept=is_kept)
                continue
            if name not in _INLINE:
                self._break()
            if is_left:
                in_title = None if node == in_title else in_title
                continue
            if in_title is None and (found := _HEADING.fullmatch(name)):
                in_title = node  # what is a heading in it is a part of it
                title = _BLANKS.sub(" ", node.text()).strip()
                self.headings.append(Heading(self._length, int(found[1]), title))
            is_kept = is_kept or name in _KEPT
            waiting.append((node, True, is_kept))
            children = [*node.iter(include_text=True)]
            waiting += [(child, False, is_kept) for child in reversed(children)]

    def _say(self, said: str, *, is_kept: bool) -> None:
        if not is_kept and (not self._pieces or self._pieces[-1].endswith((" ", "\n"))):
            said = said.lstrip()
        self._add(said)

    def _break(self) -> None:
        if self._pieces and not self._pieces[-1].endswith("\n"):
            self._add("\n")

    def _add(self, piece: str) -> None:
        if piece:
            self._pieces.append(piece)
            self._length += len(piece)
