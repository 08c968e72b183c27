"""What is asked of a search, and what of it is refused before anything is asked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from shared.errors import InvalidRequest, NotFound
from shared.index.collections.collection import Collection
from shared.retrieval.legs import LegName
from shared.retrieval.routing import SearchMode
from shared.search.checking_queries import MOST_CHARACTERS
from shared.search.folding import folded
from shared.search.query import Dbsf, Rrf, Where
from shared.storable_text import is_storable

MOST_HITS: Final = 100
MOST_COLLECTIONS: Final = 100
_MOST_WEIGHT: Final = 1000.0


class SearchRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One question to collections of one tenant, as they were read for it."""

    tenant_id: str
    collections: tuple[Collection, ...]
    text: str
    mode: SearchMode = SearchMode.AUTO
    where: Where = Where()
    """Without `collection` and `principals`, which this request has itself."""
    principals: tuple[str, ...] | None = None
    """Who asks; None sees all of the tenant, `()` only what is for everybody."""
    limit: int = 10
    cursor: str | None = None
    """Of the page before, with everything else as it was."""
    fusion: Rrf | Dbsf | None = None
    """In place of the one that is set; an `Rrf` without weights takes those of the route."""
    weights: Mapping[LegName, float] | None = None
    """In place of the route's; a leg that is not named, or has 0, is not asked."""
    score_threshold: float = 0.0
    """0 to 1, on the scale of `FoundPassage.score`."""
    group_by_document: bool = False
    reranks: bool = True
    """Whether a reranker that is set orders what was found."""
    highlight: bool = True
    explain: bool = False


def check_request(request: SearchRequest, *, now: datetime) -> None:
    """Raises `InvalidRequest` with the field and the fix, `NotFound` for another's collection and
    for one that has expired.
    """
    _check_text(request.text)
    _check_collections(request, now)
    if request.where.collection is not None or request.where.principals is not None:
        raise _wrong("where", "name collections and principals beside it, not in it")
    check_page(request)
    if request.weights is not None:
        _check_weights(request.weights)


def check_page(request: SearchRequest) -> None:
    """Raises `InvalidRequest` for a limit or a threshold that cannot be."""
    if not 1 <= request.limit <= MOST_HITS:
        raise _wrong("limit", f"ask for 1 to {MOST_HITS} hits, and for more with the cursor")
    if not 0 <= request.score_threshold <= 1:
        raise _wrong("score_threshold", "use a number from 0 to 1")


def _check_text(text: str) -> None:
    if not text.strip():
        raise _wrong("query", "write what is looked for")
    if not is_storable(text):
        raise _wrong("query", "send text without NUL and halves of surrogate pairs")
    if len(text) > MOST_CHARACTERS or len(folded(text)) > MOST_CHARACTERS:
        raise _wrong("query", f"ask in at most {MOST_CHARACTERS} characters")


def _check_collections(request: SearchRequest, now: datetime) -> None:
    if not 1 <= len(request.collections) <= MOST_COLLECTIONS:
        raise _wrong("collections", f"name 1 to {MOST_COLLECTIONS} collections")
    for each in request.collections:
        if each.tenant_id != request.tenant_id:
            raise NotFound(f"There is no collection {each.id}.", param="collections")
        if each.expires_at is not None and each.expires_at <= now:
            raise NotFound(
                f"The collection {each.id} has expired: give it a longer life to search it.",
                param="collections",
                kind="expired",
            )


def _check_weights(weights: Mapping[LegName, float]) -> None:
    if not all(0 <= weight <= _MOST_WEIGHT for weight in weights.values()):
        raise _wrong("weights", f"give each leg a number from 0 to {_MOST_WEIGHT:g}")
    if LegName.RERANKER in weights:
        raise _wrong("weights", "a reranker finds nothing itself; switch it off with rerank")
    if not any(weights.values()):
        raise _wrong("weights", "give at least one leg a number above 0")


def _wrong(name: str, fix: str) -> InvalidRequest:
    return InvalidRequest(f"{name} cannot be used: {fix}.", param=name)
