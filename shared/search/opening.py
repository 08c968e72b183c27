"""The store of vectors that the settings name."""

from __future__ import annotations

from pathlib import Path

from shared.search.vector_store import VectorStore
from shared.settings.indexing.index import IndexSettings


def open_vector_store(settings: IndexSettings, *, most_seconds: float | None = None) -> VectorStore:
    """One for this process, behind a fork: on the Qdrant server that is named, else in the folder.

    Every call ends within the settings' time, or within `most_seconds` where that is less. Whoever
    opens it closes it. Nothing is asked of it yet.
    """
    named = settings.qdrant
    deadline = min(named.timeout_seconds, most_seconds or named.timeout_seconds)
    if not named.url:
        from shared.search.embedded.embedded_store import EmbeddedStore

        return EmbeddedStore(Path(settings.folder), deadline_seconds=deadline)
    from shared.search.qdrant.qdrant_store import QdrantStore  # its client is large

    return QdrantStore(
        named.url,
        api_key=named.api_key.reveal() if named.api_key else None,
        deadline_seconds=max(1, int(deadline)),
    )
