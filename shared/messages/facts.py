"""Facts that a producer attaches to a message, so that an answer can be held against them.

OpenAI's request has no field for them, so they travel as JSON in `metadata["forebay.facts"]`.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Final

import msgspec

from shared.decoding import decode_json
from shared.errors import InvalidRequest

FACTS_KEY: Final = "forebay.facts"
"""Further keys may follow it with a dot, such as `forebay.facts.2`: a value of OpenAI's metadata
holds 512 characters."""

Words = Annotated[
    list[Annotated[str, msgspec.Meta(min_length=1, max_length=64)]], msgspec.Meta(max_length=16)
]
LARGEST: Final = Decimal(10) ** 30


class _Fact(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="type"
):
    """`words` are what an answer calls it; without them its name is what it is called.

    Each kind says in `shown` how its value is told to a model or a person.
    """

    words: Words = []


class MoneyFact(_Fact, frozen=True, tag="money"):
    """An amount; `currency` is its ISO code, and without one any currency fits."""

    value: Decimal
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")] | None = None

    @property
    def shown(self) -> str:
        return f"{self.value:f} {self.currency or ''}".rstrip()


class NumberFact(_Fact, frozen=True, tag="number"):
    """A count, a share, a measure."""

    value: Decimal

    @property
    def shown(self) -> str:
        return f"{self.value:f}"


class DateFact(_Fact, frozen=True, tag="date"):
    """A day, as YYYY-MM-DD."""

    value: datetime.date

    @property
    def shown(self) -> str:
        return self.value.isoformat()


class TextFact(_Fact, frozen=True, tag="text"):
    """A name, a state."""

    value: Annotated[str, msgspec.Meta(min_length=1)]

    @property
    def shown(self) -> str:
        return self.value


Fact = MoneyFact | NumberFact | DateFact | TextFact
Facts = dict[str, Fact]

_named = msgspec.json.Decoder(dict[str, msgspec.Raw])
_fact: Final[msgspec.json.Decoder[Fact]] = msgspec.json.Decoder(Fact)
_FIX: Final = (
    "A fact is an object: 'type' (money, number, date or text), 'value' (a date as YYYY-MM-DD), "
    "and if you like 'words' (a list of texts) and, for money, 'currency' (such as USD)."
)
_LONGEST_NAME: Final = 64


def facts_of(metadata: Mapping[str, str] | None) -> Facts:
    """The facts by name; raises InvalidRequest that names the key of the metadata and the fault."""
    facts: Facts = {}
    for key, value in (metadata or {}).items():
        if key == FACTS_KEY or key.startswith(f"{FACTS_KEY}."):
            facts |= _decoded(key, value)
    return facts


def _decoded(key: str, value: str) -> Facts:
    param = f"metadata.{key}"
    try:
        named = decode_json(_named, value.encode("utf-8", "surrogatepass"))
    except InvalidRequest as error:
        raise InvalidRequest(
            f"'{param}' holds no facts: {error.message} Write one JSON object, a fact under each "
            "name.",
            param=param,
        ) from None
    return {name: _read(name, raw, param) for name, raw in named.items()}


def _read(name: str, raw: msgspec.Raw, param: str) -> Fact:
    if not 0 < len(name) <= _LONGEST_NAME:
        raise InvalidRequest(
            f"'{param}': the name '{name[:_LONGEST_NAME]}' of a fact is empty or longer than "
            f"{_LONGEST_NAME} characters. Give it another.",
            param=param,
        )
    try:
        fact = decode_json(_fact, bytes(raw))
    except InvalidRequest as error:
        raise InvalidRequest(f"'{param}', '{name}': {error.message} {_FIX}", param=param) from None
    if isinstance(fact, MoneyFact | NumberFact) and not _is_usable(fact.value):
        raise InvalidRequest(
            f"'{param}': the value of '{name}' is no number that can be compared. Write one below "
            "10^30.",
            param=param,
        )
    return fact


def _is_usable(value: Decimal) -> bool:
    return value.is_finite() and abs(value) < LARGEST
