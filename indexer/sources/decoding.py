"""Bytes as text: what the file says of itself first, a guess last."""

from __future__ import annotations

import codecs
import re
from typing import Final, NamedTuple

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""A longer mark before the one that it begins with."""
_HEAD_BYTES: Final = 1024
_PYTHON: Final = re.compile(rb"\A(?:[^\n]*\n)?[ \t\f]*#[^\n]{0,200}?coding[:=][ \t]*([-\w.]{1,40})")
"""PEP 263: a comment on one of the first two lines."""
_MARKUP: Final = re.compile(rb"<[?m][^>]{0,200}?(?:encoding|charset)\s*=\s*[\"']?([-\w.:]{1,40})")
"""XML's declaration and HTML's `meta`."""
_CHARSETS: Final = re.compile(
    r"ascii|latin-1|iso8859-\d+|cp\d+|koi8-[rut]|mac-\w+|gb\w+|big5\w*|euc_\w+|shift_jis\w*|johab"
    r"|iso2022_\w+|hz|tis-620"
)
"""Python's names of what texts are written in; its other codecs are for other things."""
_GUESS: Final = "cp1252"


class DecodedText(NamedTuple):
    """A text and how it was read."""

    text: str
    encoding: str
    is_guessed: bool
    """Neither UTF-8 nor what the file says: signs may be wrong, and U+FFFD stands for some."""


def decode_text(content: bytes) -> DecodedText:
    """The text of a file, line ends as they are.

    A mark at the beginning decides, then UTF-8 if all of it is, then what a comment or a tag of
    the file declares, then Windows-1252. Statistics are not asked: on a page of code with one
    name in it they guess an encoding of East Asia.
    """
    for mark, name in _MARKS:
        if content.startswith(mark) and (text := _decoded(content, name)) is not None:
            return DecodedText(text, name, is_guessed=False)
    if (text := _decoded(content, "utf-8")) is not None:
        return DecodedText(text, "utf-8", is_guessed=False)
    declared = _declared(content)
    if declared is not None and (text := _decoded(content, declared)) is not None:
        return DecodedText(text, declared, is_guessed=False)
    return DecodedText(content.decode(_GUESS, errors="replace"), _GUESS, is_guessed=True)


def _decoded(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except UnicodeError:
        return None


def _declared(content: bytes) -> str | None:
    head = content[:_HEAD_BYTES]
    found = _PYTHON.search(head) or _MARKUP.search(head)
    if found is None:
        return None
    try:
        name = codecs.lookup(found[1].decode("ascii")).name
    except LookupError:
        return None
    return name if _CHARSETS.fullmatch(name) else None
