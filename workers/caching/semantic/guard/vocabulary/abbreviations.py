"""Names that are written in two ways and mean the same."""

from __future__ import annotations

import re
from typing import Final

_ALIKE: Final = {
    "2fa": r"(?:two|2)[- ](?:factor|step)(?: (?:authentication|verification|auth|login))?",
    "mfa": r"multi[- ]factor(?: authentication)?",
    "usa": r"united states(?: of america)?|u\.s\.a?\.",
    "uk": r"united kingdom|u\.k\.",
    "usd": r"(?:us|u\.s\.|american) dollars?",
    "eur": r"euros?",
    "gbp": r"pounds? sterling|british pounds?",
    "jpy": r"(?:japanese )?yen",
    "celsius": r"degrees? celsius|centigrade",
    "fahrenheit": r"degrees? fahrenheit",
    "wifi": r"wi-fi|wi fi",
    "email": r"e-mails?|emails",
    "sms": r"text messages?",
    "percent": r"per cent",
    "javascript": r"js",
    "typescript": r"ts",
    "postgresql": r"postgres",
    "kubernetes": r"k8s",
}
_ANY: Final = re.compile(
    "|".join(rf"(?<![\w-])({written})(?![\w-])" for written in _ALIKE.values()), re.IGNORECASE
)
_NAMES: Final = tuple(_ALIKE)


def spelled_alike(text: str) -> str:
    """The text with each such name in its one spelling."""
    return _ANY.sub(lambda match: _NAMES[(match.lastindex or 1) - 1], text)
