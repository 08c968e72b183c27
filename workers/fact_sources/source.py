"""The protocol of a fact source, and how one fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from shared.errors import Unavailable
from shared.messages.facts import Facts

Parameters = Mapping[str, str]
"""What a message gives to a query, by the names that queries use."""


class FactsUnavailable(Unavailable):
    """A source did not answer, or with what holds no facts. The message quotes no value."""

    code = "facts_unavailable"


class FactSource(Protocol):
    """A place that knows facts. It only reads."""

    async def look_up(self, parameters: Parameters) -> Facts:
        """The facts for these parameters, none where nothing is known; raises FactsUnavailable."""
        ...

    async def probe(self) -> str:
        """Try it without a message; says in words what works. Raises FactsUnavailable."""
        ...

    async def close(self) -> None: ...
