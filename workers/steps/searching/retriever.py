"""What the steps need of an index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from shared.messages.file_search.found_text import FoundText
from shared.messages.file_search.search_tool import RankingOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedPassages:
    """One question to the collections of a tenant."""

    tenant_id: str
    collections: tuple[str, ...]
    text: str
    limit: int
    principals: tuple[str, ...] | None = None
    """Who may see what is found; None sees all of the tenant's."""
    filters: dict[str, Any] | None = None
    """On attributes, in OpenAI's JSON; they were checked when the message was accepted."""
    ranking: RankingOptions | None = None
    seconds: float
    """How long it may take."""


class Retriever(Protocol):
    """Finds passages; raises Unavailable where the index does not answer."""

    async def editions(self, tenant_id: str, ids: Sequence[str]) -> tuple[tuple[str, int], ...]:
        """The collections among these that are there, each with the number that rises with every
        change that a search could see."""
        ...

    async def find(self, wanted: WantedPassages) -> tuple[FoundText, ...]:
        """What fits the question, the best first; nothing of a collection that is gone."""
        ...
