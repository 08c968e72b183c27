"""English words without their endings: Porter's second stemmer, Snowball's `english`.

Porter, Snowball: A language for stemming algorithms (2001), https://snowballstem.org.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

_V: Final = "[aeiouy]"
_HAS_VOWEL: Final = re.compile(_V)
_REGION: Final = re.compile(rf"{_V}[^aeiouy]")
_PREFIXES: Final = ("gener", "commun", "arsen")
_SHORT: Final = re.compile(rf"(?:^{_V}[^aeiouy]|[^aeiouy]{_V}[^aeiouywxY])$")
_DOUBLES: Final = ("bb", "dd", "ff", "gg", "mm", "nn", "pp", "rr", "tt")
_WHOLE: Final = {
    "skis": "ski", "skies": "sky", "dying": "die", "lying": "lie", "tying": "tie", "idly": "idl",
    "gently": "gentl", "ugly": "ugli", "early": "earli", "only": "onli", "singly": "singl",
}  # fmt: skip
_KEPT: Final = frozenset({
    "sky", "news", "howe", "atlas", "cosmos", "bias", "andes",
    "inning", "outing", "canning", "herring", "earring", "proceed", "exceed", "succeed",
})  # fmt: skip
_SECOND: Final = (
    ("ational", "ate"), ("ization", "ize"), ("fulness", "ful"), ("ousness", "ous"),
    ("iveness", "ive"), ("tional", "tion"), ("biliti", "ble"), ("lessli", "less"),
    ("entli", "ent"), ("ation", "ate"), ("alism", "al"), ("aliti", "al"), ("ousli", "ous"),
    ("iviti", "ive"), ("fulli", "ful"), ("enci", "ence"), ("anci", "ance"), ("abli", "able"),
    ("izer", "ize"), ("ator", "ate"), ("alli", "al"), ("bli", "ble"), ("ogi", "og"), ("li", ""),
)  # fmt: skip
_THIRD: Final = (
    ("ational", "ate"), ("tional", "tion"), ("alize", "al"), ("icate", "ic"), ("iciti", "ic"),
    ("ative", ""), ("ical", "ic"), ("ness", ""), ("ful", ""),
)  # fmt: skip
_FOURTH: Final = tuple(
    (ending, "")
    for ending in (
        "ement", "ance", "ence", "able", "ible", "ment", "ant", "ent", "ism", "ate", "iti", "ous",
        "ive", "ize", "ion", "al", "er", "ic",
    )
)  # fmt: skip
_BEFORE: Final = {"ogi": "l", "li": "cdeghkmnrt", "ion": "st"}
"""What must stand before an ending for it to go."""


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """Of one word in small letters."""
    if len(word) <= 2 or word in _KEPT:
        return word
    if word in _WHOLE:
        return _WHOLE[word]
    word = re.sub(rf"(?:^|(?<={_V}))y", "Y", word.lstrip("'"))
    first, second = _regions(word)
    word = _plural(re.sub(r"'s?'?$", "", word))
    if word in _KEPT:
        return word
    word = _past(word, first)
    if len(word) > 2 and word[-1] in "yY" and word[-2] not in "aeiouy":
        word = f"{word[:-1]}i"
    word = _without(word, _SECOND, first)
    # `ative` goes only from the second region, the others of this step from the first.
    limit = second if word.endswith("ative") else first
    word = _without(word, _THIRD, limit)
    return _last(_without(word, _FOURTH, second), first, second).replace("Y", "y")


def _regions(word: str) -> tuple[int, int]:
    """Where R1 and R2 begin."""
    special = next((len(each) for each in _PREFIXES if word.startswith(each)), None)
    first = special or _behind(word, 0)
    return first, _behind(word, first)


def _behind(word: str, start: int) -> int:
    found = _REGION.search(word, start)
    return found.end() if found else len(word)


def _plural(word: str) -> str:
    if word.endswith("sses"):
        return word[:-2]
    if word.endswith(("ied", "ies")):
        return word[: -2 if len(word) > 4 else -1]
    if word.endswith(("us", "ss")):
        return word
    return word[:-1] if word.endswith("s") and _HAS_VOWEL.search(word[:-2]) else word


def _past(word: str, first: int) -> str:
    for ending in ("eedly", "eed"):
        if word.endswith(ending):
            begun = len(word) - len(ending)
            return f"{word[:begun]}ee" if begun >= first else word
    ending = next((each for each in ("ingly", "edly", "ing", "ed") if word.endswith(each)), "")
    rest = word.removesuffix(ending)
    if not ending or not _HAS_VOWEL.search(rest):
        return word
    if rest.endswith(("at", "bl", "iz")):
        return f"{rest}e"
    if rest.endswith(_DOUBLES):
        return rest[:-1]
    return f"{rest}e" if _is_short(rest, first) else rest


def _is_short(word: str, first: int) -> bool:
    return first >= len(word) and bool(_SHORT.search(word))


def _without(word: str, endings: Sequence[tuple[str, str]], region: int) -> str:
    """The longest ending decides, whether it may go or not."""
    for ending, put in endings:
        if word.endswith(ending):
            begun = len(word) - len(ending)
            allowed = ending not in _BEFORE or word[:begun].endswith(tuple(_BEFORE[ending]))
            return word[:begun] + put if begun >= region and allowed else word
    return word


def _last(word: str, first: int, second: int) -> str:
    begun = len(word) - 1
    if word.endswith("e"):
        goes = begun >= second or (begun >= first and not _SHORT.search(word[:-1]))
        return word[:-1] if goes else word
    return word[:-1] if word.endswith("ll") and begun >= second else word
