"""Card numbers, API keys, tokens and private keys: where they stand in a plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import re2

_SOLID: Final = "[A-Za-z0-9]{20,}"
_WIDE: Final = "[A-Za-z0-9_-]{16,}"

_RUN_OF_DIGITS: Final = re2.compile(r"\d(?:[ -]{0,2}\d){12,}")
_GROUP: Final = re.compile(r"\d+", re.ASCII)
_FEWEST_DIGITS, _MOST_DIGITS = 13, 19
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
# Airlines, banks, petrol and trade: no payment card begins otherwise.
_FIRST_DIGITS: Final = frozenset("23456")


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
        for found in self._pattern.finditer(text):
            # Words joined by hyphens may begin like a key; a key without any digit does not occur.
            start, end = found.span()
            if self._loosely or text[start] == "-" or any(map(str.isdigit, text[start:end])):
                yield start, end

    def occur_in(self, text: str) -> bool:
        """Whether the text holds any."""
        return next(self.spans(text), None) is not None


def card_spans(text: str) -> Iterator[tuple[int, int]]:
    """Where card numbers stand: 13 to 19 digits, in groups or not, whose check digit is right.

    They begin and end with a group, so that a longer number that
    happens to hold one is left alone, and one that other numbers surround is found."""
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
    digits, found = "", None
    start = groups[first][0]
    if text[start] not in _FIRST_DIGITS or _is_fraction(text, start):
        return None
    for index in range(first, len(groups)):
        digits += text[slice(*groups[index])]
        if len(digits) > _MOST_DIGITS:
            break
        if len(digits) >= _FEWEST_DIGITS and passes_luhn(digits):
            found = index
    return found


def _is_fraction(text: str, start: int) -> bool:
    return start > 1 and text[start - 1] in ".," and text[start - 2].isdigit()


def passes_luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of those before it."""
    numbers = [int(digit) for digit in reversed(digits)]
    return (sum(numbers[::2]) + sum(_DOUBLED[number] for number in numbers[1::2])) % 10 == 0
