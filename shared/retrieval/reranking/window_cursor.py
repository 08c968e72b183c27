"""Where the next page of a reranked list begins, as text that callers hand back."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

import msgspec

from shared.errors import InvalidRequest
from shared.retrieval.paging import question_digest
from shared.retrieval.search_request import MOST_HITS, SearchRequest

_Score = Annotated[float, msgspec.Meta(ge=0, le=1)]


class WindowPlace(msgspec.Struct, frozen=True, array_like=True):
    """Pages are cut out of windows: the best of what was found, as many as are reranked at once."""

    question: str
    """A digest of all that decides which hits there are, and in which order."""
    editions: dict[str, int]
    """Of the collections, as they were when the first page was read."""
    begins: str | None = None
    """The cursor of the search behind which the window begins."""
    size: Annotated[int, msgspec.Meta(ge=1, le=MOST_HITS)] = 1
    """Hits in a window that was looked into: a later page may be larger than the first."""
    left: tuple[bytes, ...] = ()
    """The ids of what of it was not shown yet: places would be those of others once a collection
    changes. None is left of one that was not looked into."""
    scores: tuple[_Score, ...] = ()
    """Those that a reranker gave to what is left; empty where it gave none."""

    def __post_init__(self) -> None:
        if self.scores and len(self.scores) != len(self.left):
            raise ValueError("Each that is left has a score, or none has.")

    def following(self, shown: int, next_window: str | None) -> WindowPlace | None:
        """Behind so many more of this window, or behind all of it; None behind all there is."""
        if shown < len(self.left):
            left, scores = self.left[shown:], self.scores[shown:]
            return msgspec.structs.replace(self, left=left, scores=scores)
        if next_window is None:
            return None
        return msgspec.structs.replace(self, begins=next_window, left=(), scores=())

    def changed(self, request: SearchRequest) -> tuple[str, ...]:
        """The collections that have another edition than on the first page."""
        return tuple(
            each.id
            for each in request.collections
            if self.editions.get(each.id, each.edition) != each.edition
        )

    def as_text(self) -> str:
        """For `read_place`."""
        return base64.urlsafe_b64encode(msgspec.msgpack.encode(self)).decode().rstrip("=")


def read_place(request: SearchRequest) -> WindowPlace:
    """That of its cursor, or of the first page.

    Raises `InvalidRequest` where the cursor is none of ours, or of another question.
    """
    if request.cursor is None:
        editions = {each.id: each.edition for each in request.collections}
        return WindowPlace(question_digest(request), editions)
    text = request.cursor
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        place = msgspec.msgpack.decode(content, type=WindowPlace)
    except (ValueError, binascii.Error, msgspec.MsgspecError) as error:
        raise InvalidRequest(
            "cursor is no cursor of this search: hand back next_cursor as it came.", param="cursor"
        ) from error
    if place.question != question_digest(request):
        raise InvalidRequest(
            "cursor is of another question: ask the same with it, or leave it out.", param="cursor"
        )
    return place
