"""What a sentence says of a thing that it has just named."""

from __future__ import annotations

import re
from typing import Final

from workers.validation.claims.mentions import Mention

_LONGEST_FILLER: Final = 64
_FILLER: Final = re.compile(
    r"(?:[\s*_|\"'“:=~]|\b(?:is|are|was|were|of|as|at|to|on|by|the|now|currently|still|today|stands"
    r"|comes|amounts|totals|remains|equals|shows|reads|date|amount|about|around|roughly"
    r"|approximately|nearly|almost|only|just|exactly|falls|will|be)\b)+",
    re.IGNORECASE,
)
_STATEMENT: Final = re.compile(
    r"[\s*_]*(?:is|are|was|:|=|\|)[\s*_\"“]*(?:(?:now|currently|still)\s+)?([^,;.!?\n]+)",
    re.IGNORECASE,
)


def joins(gap: str) -> bool:
    """Whether these words between a name and a value make the value the name's own."""
    return not gap or (len(gap) <= _LONGEST_FILLER and bool(_FILLER.fullmatch(gap)))


def statement_after(text: str, mention: Mention, end: int) -> str | None:
    """What follows "is" after the name, up to the end of the clause or the sentence."""
    said = _STATEMENT.match(text, mention.end, end)
    return said[1].strip() or None if said else None
