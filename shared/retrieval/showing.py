"""From candidates to hits: the ledger says which of them are there, and who may see them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

import msgspec

from shared.index.document import Document
from shared.index.documents.passage_rows import PassageRows
from shared.retrieval.asking.generation_search import FoundCandidate
from shared.retrieval.highlighting import highlights, words_of
from shared.retrieval.paging import Cursor
from shared.retrieval.permitting import Permission
from shared.retrieval.search_request import SearchRequest
from shared.retrieval.search_result import FoundPassage

_AT_ONCE: Final = 64
_MOST_OTHERS: Final = 3


class HitPage(NamedTuple):
    """Some hits, and whether there are more of the same candidates."""

    hits: tuple[FoundPassage, ...]
    is_followed: bool


class Showing:
    """Every hit's row is read: what a store proposes and the ledger does not know is no hit."""

    def __init__(self, rows: PassageRows) -> None:
        self._rows = rows

    async def page(
        self, request: SearchRequest, candidates: Sequence[FoundCandidate], cursor: Cursor | None
    ) -> HitPage:
        """Those behind the cursor, at most `limit`; raises LedgerUnavailable."""
        ranked = sorted(
            (each for each in candidates if each.score >= request.score_threshold),
            key=lambda each: (-each.score, each.id),
        )
        if request.group_by_document:
            return await self._grouped(request, ranked, cursor)
        behind = [each for each in ranked if _is_behind(each, cursor)]
        found = []
        async for each in self._permitted(request, behind):
            found.append(each)
            if len(found) > request.limit:
                break
        return HitPage(tuple(found[: request.limit]), len(found) > request.limit)

    async def _grouped(
        self, request: SearchRequest, ranked: Sequence[FoundCandidate], cursor: Cursor | None
    ) -> HitPage:
        """From the first candidate on: a document is shown once, on the page of its best."""
        groups: dict[tuple[str, str], list[FoundPassage]] = {}
        async for each in self._permitted(request, ranked):
            groups.setdefault((each.collection_id, each.document.id), []).append(each)
        heads = (
            msgspec.structs.replace(best, others=tuple(others[:_MOST_OTHERS]))
            for best, *others in groups.values()
            if _is_behind(best, cursor)
        )
        found = tuple(islice(heads, request.limit + 1))
        return HitPage(found[: request.limit], len(found) > request.limit)

    async def _permitted(
        self, request: SearchRequest, ranked: Sequence[FoundCandidate]
    ) -> AsyncIterator[FoundPassage]:
        where = msgspec.structs.replace(
            request.where,
            collection=tuple(each.id for each in request.collections),
            principals=request.principals,
        )
        permission = Permission(where)
        words = words_of(request.text) if request.highlight else frozenset[str]()
        for first in range(0, len(ranked), _AT_ONCE):
            some = ranked[first : first + _AT_ONCE]
            keys = [(each.generation, each.id) for each in some]
            documents = await self._rows.of_points(request.tenant_id, keys)
            for key, each in zip(keys, some, strict=True):
                document = documents.get(key)
                if document is not None and permission.allows(each.passage, document):
                    yield _found(each, document, words, explain=request.explain)


def _is_behind(hit: FoundCandidate | FoundPassage, cursor: Cursor | None) -> bool:
    return cursor is None or cursor.is_before(hit.score, hit.id)


def _found(
    candidate: FoundCandidate, document: Document, words: frozenset[str], *, explain: bool
) -> FoundPassage:
    passage = candidate.passage
    return FoundPassage(
        candidate.id,
        candidate.score,
        passage,
        document,
        candidate.legs if explain else {},
        highlights(passage.body, words) if words else (),
    )
