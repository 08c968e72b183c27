"""The place in a list of hits where the next page begins, as text that callers hand back."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Annotated

import msgspec

from shared.errors import InvalidRequest
from shared.retrieval.routing import SearchMode
from shared.retrieval.search_request import SearchRequest


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """Behind which hit the next page begins, and what the pages are of."""

    question: str
    """A digest of all that decides which hits there are, and in which order."""
    editions: dict[str, int]
    """Of the collections, as they were when the first page was read."""
    depth: Annotated[int, msgspec.Meta(ge=1, le=1000)]
    """Of each leg: with another one the same passages would have other scores."""
    mode: SearchMode
    """Of the route: one that finds nothing is followed by another."""
    score: float
    id: str

    def is_before(self, score: float, passage_id: str) -> bool:
        """Whether a hit is on a later page; equal scores are in the order of ids."""
        return (-score, passage_id) > (-self.score, self.id)


def question_digest(request: SearchRequest) -> str:
    """The same for pages of one question, however large each of them is."""
    of = msgspec.structs.replace(
        request,
        collections=(),
        cursor=None,
        limit=1,
        highlight=False,
        weights=dict(sorted(request.weights.items())) if request.weights else None,
    )
    ids = sorted(each.id for each in request.collections)
    return hashlib.sha256(msgspec.json.encode((ids, of))).hexdigest()[:16]


def following(
    request: SearchRequest,
    mode: SearchMode,
    depth: int,
    before: Cursor | None,
    score: float,
    passage_id: str,
) -> str:
    """The cursor behind that hit; its editions are those of the first page."""
    editions = {each.id: each.edition for each in request.collections}
    cursor = Cursor(
        question_digest(request),
        before.editions if before else editions,
        depth,
        mode,
        score,
        passage_id,
    )
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(cursor)).decode().rstrip("=")


def read_cursor(text: str, request: SearchRequest) -> Cursor:
    """Raises `InvalidRequest` where it is none of ours, or of another question."""
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        cursor = msgspec.msgpack.decode(content, type=Cursor)
    except (ValueError, binascii.Error, msgspec.MsgspecError) as error:
        raise InvalidRequest(
            "cursor is no cursor of a search: hand back next_cursor as it came.", param="cursor"
        ) from error
    if cursor.question != question_digest(request):
        raise InvalidRequest(
            "cursor is of another question: ask the same with it, or leave it out.", param="cursor"
        )
    return cursor


def changed_since(cursor: Cursor | None, request: SearchRequest) -> tuple[str, ...]:
    """The collections that have another edition than on the page before."""
    before = cursor.editions if cursor else {}
    return tuple(
        each.id for each in request.collections if before.get(each.id, each.edition) != each.edition
    )
