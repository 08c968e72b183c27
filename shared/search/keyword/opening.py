"""The store that the settings name."""

from __future__ import annotations

from shared.search.keyword.keyword_store import KeywordStore
from shared.settings.indexing.index import IndexSettings


def open_keyword_store(
    settings: IndexSettings, *, most_seconds: float | None = None
) -> KeywordStore | None:
    """One for this process, behind a fork; `None` where no Meilisearch server is named.

    Every call ends within the settings' time, or within `most_seconds` where that is less. Whoever
    opens it closes it. Nothing is asked of the server yet.
    """
    named = settings.meilisearch
    if not named.url:
        return None
    from shared.search.keyword.meilisearch_store import MeilisearchStore  # its client is large

    return MeilisearchStore(
        named.url,
        api_key=named.api_key.reveal() if named.api_key else None,
        deadline_seconds=min(named.timeout_seconds, most_seconds or named.timeout_seconds),
    )
