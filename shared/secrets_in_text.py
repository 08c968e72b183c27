"""Secrets and numbers that must not be told: one reading for guardrail, cache rule and logs.

Models write numbers with narrow spaces, en dashes and bold groups, and text from elsewhere brings
zero-width characters and the digits of other scripts. Whoever reads for values, names or secrets
reads the plain text, and tells where he found them in the text itself.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from string import digits, punctuation
from typing import Final, NamedTuple

import re2

_SPACES: Final = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
DASHES: Final = "\u2010-\u2015\u2212\ufe58\ufe63\uff0d"
WIDE: Final = "\uff01-\uff5e"
"""ASCII as wide as the signs of East Asia."""
INVISIBLE: Final = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff"
"""Characters nobody sees, as a class of `re`."""

# What stays one character, in other clothes.
_OTHER: Final = re.compile(f"[{_SPACES}{DASHES}{WIDE}]|(?![0-9])\\d")
_SPACE: Final = re.compile(f"[{_SPACES}]")
_DASH: Final = re.compile(f"[{DASHES}]")
MARKS: Final = rf"[{INVISIBLE}\\`*_]"
"""What may be taken out: the invisible, and Markdown's escapes, code marks and emphasis."""
_MARKS: Final = re.compile(f"{MARKS}+")
_ASCII_MARKS: Final = re.compile(r"[\\`*_]+")
_GAPS: Final = frozenset(("", " ", "\n", "\t", "\r"))
_ESCAPABLE: Final = frozenset(punctuation)
_BOLD: Final = len("**")
_CLOSES_BEHIND: Final = re.compile(r"\d[^*\n]{0,40}\*\*(?!\d)")

LATIN: Final = "A-Za-z0-9\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0300-\u036f"
"""Letters with accents too, composed or not, and digits: a class of `re` and of RE2."""
EMAIL: Final = rf"[{LATIN}._%+-]+@[{LATIN}-]+(?:\.[{LATIN}-]+)+"

_SOLID: Final = "[A-Za-z0-9]{20,}"
_WIDE: Final = "[A-Za-z0-9_-]{16,}"

_RUN_OF_DIGITS: Final = re2.compile(r"\d(?:[ -]{0,2}\d){12,}")
_GROUP: Final = re.compile(r"\d+", re.ASCII)
_FEWEST_DIGITS, _MOST_DIGITS = 13, 19
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
# Airlines, banks, petrol and trade: no payment card begins otherwise.
_FIRST_DIGITS: Final = frozenset("23456")


class PlainText:
    """What was written, plainly. `text` is what to read; `span` leads back."""

    __slots__ = ("_cuts", "_shifts", "text")

    def __init__(self, written: str) -> None:
        self._cuts: list[int] = []
        self._shifts: list[int] = [0]
        if not written.isascii():
            self.text = self._without_marks(_OTHER.sub(_as_usual, written), _MARKS)
        elif "*" in written or "_" in written or "`" in written or "\\" in written:
            self.text = self._without_marks(written, _ASCII_MARKS)
        else:
            self.text = written

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where in what was written a part of `text` stands that is not empty."""
        if not self._cuts:
            return start, end
        first = start + self._shifts[bisect_right(self._cuts, start)]
        return first, end + self._shifts[bisect_right(self._cuts, end - 1)]

    def _without_marks(self, text: str, marks: re.Pattern[str]) -> str:
        pieces: list[str] = []
        done, taken = 0, 0
        for found in marks.finditer(text):
            for start, end in _taken_out(text, *found.span()):
                pieces.append(text[done:start])
                self._cuts.append(start - taken)
                taken += end - start
                self._shifts.append(taken)
                done = end
        return "".join((*pieces, text[done:])) if pieces else text


def _taken_out(text: str, position: int, end: int) -> Iterator[tuple[int, int]]:
    """The parts of a run of marks that mean nothing."""
    while position < end:
        mark, following = text[position], position + 1
        if mark == "\\":
            if text[following : following + 1] in _ESCAPABLE:
                yield position, following
                following += 1  # what it escapes is meant as it stands
        elif mark in "*_":
            while following < end and text[following] == mark:
                following += 1
            if _is_emphasis(text, position, following):
                yield position, following
        else:
            yield position, following
        position = following


def _is_emphasis(text: str, start: int, end: int) -> bool:
    """Whether the marks open or close: a star between blanks, or between digits, multiplies."""
    before, after = text[start - 1 : start], text[end : end + 1]
    if text[start] == "_":
        return before.isalnum() is not after.isalnum()
    opens = not before.isalnum() and after not in _GAPS
    closes = not after.isalnum() and before not in _GAPS
    if opens or closes:
        return True
    return end - start == _BOLD and _CLOSES_BEHIND.match(text, end) is not None


def _as_usual(found: re.Match[str]) -> str:
    character = found[0]
    if _SPACE.match(character):
        return " "
    if _DASH.match(character):
        return "-"
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    return chr(ord(character) - 0xFEE0)  # a wide letter or sign of ASCII


class SecretKind(NamedTuple):
    """What the keys of one kind begin with, and what follows; patterns of RE2, data only."""

    issuers: str
    prefixes: str
    body: str


SECRET_KINDS: Final = (
    SecretKind(
        "Forebay, OpenAI, Anthropic, DeepSeek, OpenRouter, ElevenLabs", "fb_|sk-|sk_", _WIDE
    ),
    SecretKind("Stripe", "pk_live_|pk_test_|rk_live_|rk_test_|whsec_", _WIDE),
    SecretKind("Groq, Perplexity, xAI, Cerebras", "gsk_|pplx-|xai-|csk-", _SOLID),
    SecretKind("Hugging Face, Replicate, Fireworks, Jina", "hf_|r8_|fw_|jina_", _SOLID),
    SecretKind("NVIDIA, Together, Tavily, LangSmith", "nvapi-|tgp_v1_|tvly-|lsv2_[ps][kt]_", _WIDE),
    SecretKind("GitHub, GitLab", "ghp_|gho_|ghs_|ghu_|ghr_|github_pat_|glpat-", _WIDE),
    SecretKind("npm, PyPI, DigitalOcean, Grafana", "npm_|pypi-|dop_v1_|glsa_", _SOLID),
    SecretKind("Linear, Notion, Shopify", "lin_api_|ntn_|shpat_", _SOLID),
    SecretKind("Slack", "xox[abeprs]-|xapp-", "[A-Za-z0-9-]{10,}"),
    SecretKind("SendGrid", r"SG\.", r"[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    SecretKind("AWS", "AKIA|ASIA", r"[0-9A-Z]{16}\b"),
    SecretKind("Google", "AIza", "[0-9A-Za-z_-]{35}"),
    SecretKind("Google", r"ya29\.", _WIDE),
    SecretKind(
        "JSON Web Token", "eyJ", r"[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*)?"
    ),
)
_BEGINS_PRIVATE_KEY: Final = "-----BEGIN"
_PRIVATE_KEY: Final = (
    r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----[^-]*(?:-{1,5}(?:END[A-Z ]{0,40}-{0,5})?)?"
)
_LOOSE: Final = r"\b(?:fb_|sk-|sk_)[A-Za-z0-9_-]{6,}"
"""Where one too many costs little: keys cut short or made up count too."""
_EVERY: Final = "|".join(
    [*(rf"\b(?:{kind.prefixes}){kind.body}" for kind in SECRET_KINDS), _PRIVATE_KEY]
)


class SecretReader:
    """Finds secrets. `loosely` counts what only begins like one of the commonest kinds as well."""

    def __init__(self, *, loosely: bool = False) -> None:
        self._loosely = loosely
        self._pattern = re2.compile(f"{_LOOSE}|{_EVERY}" if loosely else _EVERY)

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where secrets stand, in order and without overlaps."""
        if not (self._loosely or holds_digit(text) or _BEGINS_PRIVATE_KEY in text):
            return
        for found in self._pattern.finditer(text):
            # Words joined by hyphens may begin like a key; a key without any digit does not occur.
            start, end = found.span()
            if self._loosely or text[start] == "-" or any(map(str.isdigit, text[start:end])):
                yield start, end

    def occur_in(self, text: str) -> bool:
        """Whether the text holds any."""
        return next(self.spans(text), None) is not None


def holds_digit(text: str) -> bool:
    """Whether it can hold a number or a key: none of them is without a digit.

    Many answers have none, and a search by RE2 lets another thread have the interpreter, which
    costs a busy loop more than the search itself.
    """
    return any(map(text.__contains__, digits))


def card_spans(text: str) -> Iterator[tuple[int, int]]:
    """Where card numbers stand: 13 to 19 digits, in groups or not, whose check digit is right.

    They begin and end with a group, so that a longer number that happens to hold one is left
    alone, and one that other numbers surround is found.
    """
    if not holds_digit(text):
        return
    for run in _RUN_OF_DIGITS.finditer(text):
        groups = [group.span() for group in _GROUP.finditer(text, *run.span())]
        first = 0
        while first < len(groups):
            last = _last_group(text, groups, first)
            if last is None:
                first += 1
            else:
                yield groups[first][0], groups[last][1]
                first = last + 1


def _last_group(text: str, groups: list[tuple[int, int]], first: int) -> int | None:
    """The last group of the longest card number that begins with the group `first`."""
    number, found = "", None
    start = groups[first][0]
    if text[start] not in _FIRST_DIGITS or _is_fraction(text, start):
        return None
    for index in range(first, len(groups)):
        number += text[slice(*groups[index])]
        if len(number) > _MOST_DIGITS:
            break
        if len(number) >= _FEWEST_DIGITS and passes_luhn(number):
            found = index
    return found


def _is_fraction(text: str, start: int) -> bool:
    return start > 1 and text[start - 1] in ".," and text[start - 2].isdigit()


def passes_luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of those before it."""
    numbers = [int(digit) for digit in reversed(digits)]
    return (sum(numbers[::2]) + sum(_DOUBLED[number] for number in numbers[1::2])) % 10 == 0
