"""Points for tests of stores, small enough to know their order by hand."""

from __future__ import annotations

import os
import uuid

from shared.search.generation import Generation
from shared.search.point import Passage, Point, Scope, point_id
from shared.search.query import CodeVector, Hit, Query, TextVector, Where, Words
from shared.search.vector_store import VectorStore

GENERATION = Generation(f"conformance-{os.getpid()}", text_dimensions=4, code_dimensions=3)
ANY = Where()
EAST = [1.0, 0.0, 0.0, 0.0]
LEGS = (TextVector(EAST), CodeVector([1, 0, 0]), Words("parcel"))


def new_scope() -> Scope:
    """A tenant that has nothing yet."""
    return Scope(GENERATION.name, f"tenant-{uuid.uuid4()}")


def passage(body: str = "nothing", *, ver: int = 1, **told: str) -> Passage:
    known = {
        "collection": "handbook",
        "document": "guide.md",
        "source": "folder",
        "path": "docs/guide.md",
        "language": "markdown",
        "kind": "prose",
    }
    return Passage(**(known | told), ver=ver, body=body)


def point(
    scope: Scope,
    name: str,
    body: str = "nothing",
    *,
    text: list[float] | None = None,
    code: list[float] | None = None,
    ver: int = 1,
    **told: str,
) -> Point:
    """The point of this name; it has both vectors unless one is given."""
    if text is None and code is None:
        text, code = [1, 0, 0, 0], [1, 0, 0]
    return Point(id_of(scope, name), passage(body, ver=ver, **told), text, code)


def id_of(scope: Scope, name: str) -> str:
    return point_id(tenant=scope.tenant, source="folder", document="guide.md", key=name, ordinal=0)


async def words(store: VectorStore, scope: Scope, text: str) -> tuple[Hit, ...]:
    """What they find."""
    return (await store.query(scope, Query((Words(text),), None))).apart[0]


async def three(store: VectorStore, scope: Scope) -> dict[str, str]:
    """`near` leads by text, `code` by code, `said` by words; the names of their ids."""
    await store.upsert(
        scope,
        [
            point(scope, "near", "open the door", text=[1, 0, 0, 0], code=[0, 1, 0]),
            point(scope, "code", "open the parcel", text=[0.6, 0.8, 0, 0], code=[1, 0, 0]),
            point(scope, "said", "open parcel parcel", text=[0, 1, 0, 0], code=[0.8, 0.6, 0]),
        ],
    )
    return {id_of(scope, name): name for name in ("near", "code", "said")}
