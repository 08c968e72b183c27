"""The cacheable rule: which messages may be given a stored answer, and which answers are stored."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum
from typing import Final

import re2

from shared.answer_cache.cache_control import CacheControl
from shared.messages.facts import FACTS_KEY
from shared.messages.item import are_only_text
from shared.messages.output import is_only_text
from shared.messages.state import ResponseState
from shared.secrets_in_text import EMAIL, PlainText, SecretReader
from shared.settings.providers import ProviderSettings
from shared.settings.turn.caching import CachingSettings
from workers.turn import Turn

_UNSET_TEMPERATURE: Final = 1.0
"""What providers take when nobody says."""

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


class NotCacheable(StrEnum):
    """Why the cache is not used for a message, or an answer is not kept."""

    OFF = "off"
    NO_STORE = "no_store"
    """Its caller does not want it stored: `no-store`, or `store: false`."""
    TEMPERATURE = "temperature"
    NOT_TEXT = "not_text"
    """It offers tools, shows what is no text, says how much to think, or asks how likely tokens
    were; or the answer has more than text."""
    PERSONAL = "personal"
    PERSONAL_FACTS = "personal_facts"
    """There are facts, and a user they are about."""
    NOT_COMPLETED = "not_completed"
    """Failed, cut off, cancelled, or handed to a human."""
    IN_DOUBT = "in_doubt"
    """Its provider never said that it was whole, or a part of it could not be read."""
    NOT_SEARCHED = "not_searched"
    """Files are to be searched, and the index does not answer."""
    NO_MODEL = "no_model"
    """Rules answered, or another stand-in for the model."""
    REFUSED = "refused"
    """The model would not answer."""
    EMPTY = "empty"
    TOO_LARGE = "too_large"
    NOT_KEPT = "not_kept"
    """The store was away, or was invalidated while the answer was written."""


def stand_ins(providers: Sequence[ProviderSettings]) -> list[str]:
    """Whose answers are not worth keeping: what is no model, and the small model of this machine
    where a better one should have answered."""
    return [
        one.name
        for position, one in enumerate(providers)
        if not one.kind.is_model or (one.kind.is_stopgap and position > 0)
    ]


class PersonalPatterns:
    """What makes a text personal: it is about somebody, so nobody else may be given its answer.

    The built-in patterns and the operator's own, which were compiled once already.
    """

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


class CacheableRule:
    """Asked twice: before the look for the message, before storing for its answer.

    Both methods return None where nothing speaks against it.
    """

    def __init__(
        self,
        settings: CachingSettings,
        *,
        stand_ins: Collection[str],
        is_refusal: Callable[[str], bool],
    ) -> None:
        self._settings = settings
        self._tenants = frozenset(settings.tenants)
        self._stand_ins = frozenset(stand_ins)
        self._is_refusal = is_refusal
        self._personal = PersonalPatterns(settings.personal_patterns)

    def why_not_message(self, turn: Turn, control: CacheControl) -> NotCacheable | None:
        """Why the message is neither answered from the store nor its answer kept."""
        if not self._is_on_for(turn.record.tenant_id):
            return NotCacheable.OFF
        body = turn.body
        if control.no_store or body.store is False:
            return NotCacheable.NO_STORE
        if body.tools or body.reasoning or body.top_logprobs is not None:
            return NotCacheable.NOT_TEXT
        if not are_only_text(turn.items):
            return NotCacheable.NOT_TEXT
        if _is_unsearched(turn):
            return NotCacheable.NOT_SEARCHED
        asked = _UNSET_TEMPERATURE if body.temperature is None else body.temperature
        if asked > self._settings.highest_temperature:
            return NotCacheable.TEMPERATURE
        if turn.record.user_id is not None and _has_facts(turn):
            return NotCacheable.PERSONAL_FACTS
        if any(self._personal.occur_in(item.text()) for item in turn.items):
            return NotCacheable.PERSONAL
        return None

    def why_not_answer(self, turn: Turn) -> NotCacheable | None:
        """Why the answer that ended the turn is not kept."""
        end = turn.settlement
        if end is None or end.state is not ResponseState.COMPLETED:
            return NotCacheable.NOT_COMPLETED
        if turn.is_in_doubt:
            return NotCacheable.IN_DOUBT
        if end.answered_by is None or end.answered_by in self._stand_ins:
            return NotCacheable.NO_MODEL
        if end.output_items is not None and not is_only_text(end.output_items):
            return NotCacheable.NOT_TEXT
        if _is_unsearched(turn):
            return NotCacheable.NOT_SEARCHED
        text = end.output_text or ""
        if not text.strip():
            return NotCacheable.EMPTY
        if _stored_bytes(turn, text) > self._settings.largest_answer_bytes:
            return NotCacheable.TOO_LARGE
        if self._is_refusal(text):
            return NotCacheable.REFUSED
        return NotCacheable.PERSONAL if self._personal.identify(text) else None

    def _is_on_for(self, tenant_id: str) -> bool:
        return self._settings.exact and (not self._tenants or tenant_id in self._tenants)


def _is_unsearched(turn: Turn) -> bool:
    search = turn.search
    return search.is_away if search is not None else turn.body.searches


def _stored_bytes(turn: Turn, text: str) -> int:
    """Of an answer with the passages that it was made from."""
    found = turn.search.found if turn.search is not None else ()
    return len(text.encode()) + sum(len(each.text.encode()) for each in found)


def _has_facts(turn: Turn) -> bool:
    attached = any(key.startswith(FACTS_KEY) for key in turn.body.metadata or ())
    return attached or bool(turn.facts)
