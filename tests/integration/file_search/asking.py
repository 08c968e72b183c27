"""How the tests ask, and what they read of an answer."""

from __future__ import annotations

from typing import Any

from shared.index.collections.collection import Collection


def search(*collections: Collection, **options: Any) -> list[dict[str, Any]]:
    ids = [each.id for each in collections]
    return [{"type": "file_search", "vector_store_ids": ids, **options}]


def citations(message: Any) -> list[tuple[int, str]]:
    [part] = message.content
    return [(one.index, one.filename) for one in part.annotations]
