"""Which store of words the settings give."""

from __future__ import annotations

import subprocess
import sys

from shared.search.keyword.meilisearch_store import MeilisearchStore
from shared.search.keyword.opening import open_keyword_store
from shared.settings.indexing.index import IndexSettings, SearchServerSettings
from shared.settings.secret import Secret, ServerUrl


async def test_a_url_gives_a_store_and_none_gives_none() -> None:
    assert open_keyword_store(IndexSettings()) is None
    named = SearchServerSettings(url=ServerUrl("http://127.0.0.1:1"), api_key=Secret("a key"))
    store = open_keyword_store(IndexSettings(meilisearch=named))
    assert isinstance(store, MeilisearchStore)
    await store.close()


def test_the_client_is_not_loaded_where_no_server_is_named() -> None:
    code = "import sys, shared.search.keyword.opening as _; assert 'httpx2' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
