"""Takes out what must not be written down, at the last moment before it is written.

Two rules. What people and models wrote is dropped by the name it stands under. What looks like
a secret or like personal data is masked wherever it occurs. Better one masked number too many.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum, auto
from functools import lru_cache
from itertools import islice
from typing import Final

from shared.secrets_in_text import EMAIL, LATIN, SecretReader, passes_luhn
from shared.telemetry.genai import CONTENT

Plain = str | bool | int | float | list["Plain"] | dict[str, "Plain"] | None

MASK: Final = "[redacted]"
LONGEST_TEXT: Final = 8192
"""Characters kept of one text: its first and its last half."""
_LONGEST_READ: Final = 262_144
_MOST_ITEMS: Final = 100
_DEEPEST: Final = 6
_LONGEST_NAME: Final = 64
"""Names up to this are remembered."""

_WRITTEN_BY_PEOPLE: Final = CONTENT | {"prompt", "input", "content", "body", "output"}
_SECRET_NAME: Final = re.compile(
    r"(?:^|[._-])(?:authorization|cookie|password|passwd|secret|credentials?|api[_-]?key"
    r"|(?:access|refresh|auth|bearer|id)[_-]token)$|^token$",
    re.IGNORECASE,
)

# Each pattern starts at a place that the text before it decides, so that a long run of letters
# costs one pass and not one for each of its characters.
_PATTERNS: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    # A database error quotes the statement's parameters, and those are a message's body.
    (re.compile(r"\[parameters: .*?(?=\n\(Background on|\Z)", re.DOTALL), f"[parameters: {MASK}]"),
    (re.compile(r"\b(bearer)\s+[^\s,;'\"]+", re.IGNORECASE), rf"\1 {MASK}"),
    (re.compile(r"(://[^\s:/@]*):[^\s/]*@"), rf"\1:{MASK}@"),
    (
        re.compile(
            r"([?&](?:api_?key|key|(?:\w{1,20}_)?token|password|secret)=)[^\s&#'\"]+", re.IGNORECASE
        ),
        rf"\1{MASK}",
    ),
    (re.compile(rf"(?<![{LATIN}._%+-]){EMAIL}"), MASK),
    (re.compile(r"(?<![\d-])\d{3}[- ]\d{2}[- ]\d{4}(?![\d-])"), MASK),
)
_SECRETS: Final = SecretReader(loosely=True)
# Too short for every secret but ours, which begin so, and not made of what the patterns want.
_WORD: Final = re.compile(r"(?=.{1,15}\Z)(?!fb_|sk_)[a-z]+(?:_[a-z]+)*")
_CARD: Final = re.compile(r"(?<![A-Za-z0-9.])\d(?:[ -]?\d){12,18}(?!\w)")


def redact_text(text: str) -> str:
    """The text with everything masked that looks like a secret or personal data, cut to size."""
    if _WORD.fullmatch(text):
        return text  # most values of spans and of lines are one
    if len(text) > _LONGEST_READ:
        return f"[{len(text)} characters]"
    text = _without_secrets(text)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    text = _CARD.sub(_mask_card, text)
    if len(text) <= LONGEST_TEXT:
        return text
    # Cut last: half a secret matches no pattern. The end of a traceback says the most.
    return f"{text[: LONGEST_TEXT // 2]} … {text[-LONGEST_TEXT // 2 :]}"


def redact_fields(fields: Mapping[str, object]) -> dict[str, Plain]:
    """The fields without those that hold content, their values redacted and made plain."""
    return _plain_dict(fields, depth=0)


def _plain_dict(fields: Mapping[str, object], *, depth: int) -> dict[str, Plain]:
    plain: dict[str, Plain] = {}
    for key, value in islice(fields.items(), _MOST_ITEMS):
        told, fate = _known(str(key))
        if fate is not _ValueFate.DROPPED:
            plain[told] = MASK if fate is _ValueFate.MASKED else _plain(value, depth)
    return plain


def redact_name(name: str) -> str:
    """What `redact_text` makes of a name that comes often, such as a span's."""
    return _known(name)[0]


class _ValueFate(Enum):
    """What becomes of what stands under a name."""

    DROPPED = auto()
    MASKED = auto()
    READ = auto()


def _known(name: str) -> tuple[str, _ValueFate]:
    return _remembered(name) if len(name) <= _LONGEST_NAME else _read_name(name)


def _read_name(name: str) -> tuple[str, _ValueFate]:
    """The name as it may be told, and what becomes of its value."""
    if name.lower() in _WRITTEN_BY_PEOPLE:
        return redact_text(name), _ValueFate.DROPPED
    return redact_text(name), _ValueFate.MASKED if _SECRET_NAME.search(name) else _ValueFate.READ


@lru_cache(maxsize=1_024)
def _remembered(name: str) -> tuple[str, _ValueFate]:
    """The same few come with every line and every span, and reading one costs more than the value
    that stands under it."""
    return _read_name(name)


def _plain(value: object, depth: int) -> Plain:
    match value:
        case None | bool() | float():
            return value
        case int():
            return value if abs(value) < 10**12 else _plain_long_number(value)
        case bytes() | bytearray() | memoryview():
            return f"[{len(value)} bytes]"
        case BaseException():
            return redact_text(f"{type(value).__name__}: {value}")
        case dict() | list() | tuple() | set() | frozenset() if depth >= _DEEPEST:
            return "[too deep]"
        case dict():
            return _plain_dict(value, depth=depth + 1)
        case list() | tuple() | set() | frozenset():
            return [_plain(one, depth + 1) for one in islice(value, _MOST_ITEMS)]
        case _:
            return redact_text(str(value))


def _plain_long_number(value: int) -> Plain:
    text = str(value)
    redacted = redact_text(text)
    return value if redacted == text else redacted


def _without_secrets(text: str) -> str:
    pieces: list[str] = []
    done = 0
    for start, end in _SECRETS.spans(text):
        pieces += (text[done:start], MASK)
        done = end
    return "".join((*pieces, text[done:])) if pieces else text


def _mask_card(found: re.Match[str]) -> str:
    # People group the digits of a card; a run without gaps is more often a time or a count, and
    # then the check digit decides.
    text = found.group()
    return MASK if not text.isdigit() or passes_luhn(text) else text
