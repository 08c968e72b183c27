"""What makes a text personal: it is about somebody, so nobody else may be given its answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import re2

from shared.secrets_in_text import EMAIL, PlainText, SecretReader

# Better one message too many that is asked again than one person's answer given to another. An
# engine that takes time by the length of the text alone, for what people wrote may be long.
_DIRECT: Final = {
    "email": EMAIL,
    # A telephone, card, account, order or social security number.
    "long_number": r"(?:\d[ ./()-]{0,2}){6,}\d",
    "reference": r"(?:[A-Z]{1,6}[-#]\d{4,}|#\d{4,})",
}
_BELONGINGS: Final = (
    "account|accounts|address|age|appointment|appointments|balance|balances|bank|bill|bills|"
    "birthday|birthdate|booking|bookings|card|cards|case|claim|claims|contract|contracts|"
    "credit|daughter|debt|delivery|deposit|diagnosis|doctor|email|e-mail|employer|family|flight|"
    "health|husband|income|insurance|invoice|invoices|loan|medication|mortgage|mother|father|"
    "name|number|order|orders|package|parcel|partner|passport|payment|payments|pension|phone|"
    "policy|portfolio|prescription|purchase|purchases|receipt|refund|reservation|reservations|"
    "salary|savings|shipment|son|ssn|statement|statements|subscription|symptoms|ticket|tickets|"
    "transaction|transactions|transfer|transfers|trip|usage|wife"
)
_OWN: Final = (
    rf"(?i)\b(?:my|mine|our)\s+(?:[\w'’-]+\s+){{0,3}}(?:{_BELONGINGS})\b"
    r"|\b(?:i am|i'm|i’m)\s+(?:called|named)\b"
    r"|\b(?:do|did|have|am|was) i (?:owe|own|pay|paid|order|ordered|book|booked|spend|spent|due)\b"
    r"|\bhow much (?:money )?(?:do|did) i\b"
)


class PersonalPatterns:
    """The built-in patterns and the operator's own, which were compiled once already."""

    def __init__(self, own: Mapping[str, str]) -> None:
        every = [*_DIRECT.values(), *own.values()]
        self._anything = re2.compile("|".join(f"(?:{pattern})" for pattern in every))
        self._belonging = re2.compile(_OWN)
        self._secrets = SecretReader(loosely=True)

    def occur_in(self, text: str) -> bool:
        """Whether the text is about somebody."""
        plain = PlainText(text).text
        return self._names_somebody(plain) or bool(self._belonging.search(plain))

    def identify(self, text: str) -> bool:
        """Whether the text holds what names somebody: an answer may speak of `your account`."""
        return self._names_somebody(PlainText(text).text)

    def _names_somebody(self, plain: str) -> bool:
        return bool(self._anything.search(plain)) or self._secrets.occur_in(plain)
