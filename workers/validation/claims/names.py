"""Names of people, places and things in a text, as far as their capitals show them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_CAPITAL: Final = "A-Z\u00c0-\u00d6\u00d8-\u00de"
_WORD: Final = rf"[{_CAPITAL}][\w'’-]{{2,40}}"
_NAME: Final = re.compile(rf"(?<![\w'’-]){_WORD}(?: {_WORD}){{1,7}}")
_BEGINS: Final = re.compile(r"(?:^|[\n.!?:;|>*•(\"“])[ \t]*(?:[-+*] )?$")
"""What stands before the first word of a sentence, of a list's item or of a cell."""
_LONGEST_BEGINNING: Final = 8


def names_in(text: str) -> Iterator[str]:
    """Two or more words with capitals in a row, without the first word of a sentence.

    Headings are passed over: in many each word has a capital. A name of one word is told from
    other words in no language that has capitals elsewhere, and is not looked for.
    """
    for found in _NAME.finditer(text):
        line = text.rfind("\n", 0, found.start()) + 1
        if text.startswith("#", line):
            continue
        words = found[0].split(" ")
        before = text[max(0, found.start() - _LONGEST_BEGINNING) : found.start()]
        if _BEGINS.search(before) or found.start() == 0:
            words = words[1:]
        if len(words) > 1:
            yield " ".join(words)
