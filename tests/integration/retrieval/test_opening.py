"""Search as the settings have it."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.clock import ManualClock
from shared.errors import SettingsError
from shared.index.collections.catalogue import CollectionCatalogue
from shared.persistence.engine import open_database
from shared.retrieval.legs import LegName
from shared.retrieval.opening import open_search
from shared.retrieval.reranking.reranked_search import RerankedSearch
from shared.retrieval.routing import SearchMode
from shared.retrieval.search_request import SearchRequest
from shared.settings import load_settings
from shared.settings.loading.secrets import with_index_keys
from shared.settings.secret import Secret, ServerUrl
from shared.settings.servers import LedgerSettings
from shared.settings.telemetry import TelemetrySettings
from shared.telemetry.metrics import Metrics
from shared.telemetry.open_tracing import open_tracing
from tests.servers.collector import running_collector


async def test_every_leg_that_is_there_is_opened_and_a_keyword_server_is_not_needed(
    tmp_path: Path, migrated_sqlite_url: str
) -> None:
    settings = load_settings({"FOREBAY_INDEX__FOLDER": str(tmp_path / "index")})
    database = open_database(LedgerSettings(url=ServerUrl(migrated_sqlite_url)))
    docs = await CollectionCatalogue(database, ManualClock()).create(
        "ten_1", name="docs", generation="g-0123456789ab"
    )
    request = SearchRequest(
        tenant_id="ten_1", collections=(docs,), text="getName", mode=SearchMode.CODE
    )

    async with open_search(settings, database, ManualClock(), Metrics()) as search:
        found = await search.search(request)

    told = {report.name: report.dropped for report in found.legs}
    other = "other_models"
    assert told == {
        LegName.TEXT: other,
        LegName.CODE: other,
        LegName.WORDS: None,
        LegName.SYMBOLS: None,
    }
    assert found.hits == ()
    await database.close()


async def test_a_search_and_each_request_of_its_legs_is_a_span_without_the_question(
    tmp_path: Path, migrated_sqlite_url: str
) -> None:
    settings = load_settings({"FOREBAY_INDEX__FOLDER": str(tmp_path / "index")})
    database = open_database(LedgerSettings(url=ServerUrl(migrated_sqlite_url)))
    docs = await CollectionCatalogue(database, ManualClock()).create(
        "ten_1", name="docs", generation="g-0123456789ab"
    )
    request = SearchRequest(
        tenant_id="ten_1", collections=(docs,), text="getName", mode=SearchMode.CODE
    )
    async with running_collector() as (collector, endpoint):
        tracing = open_tracing(TelemetrySettings(traces_endpoint=endpoint), "ingress")
        async with open_search(settings, database, ManualClock(), Metrics(), tracing) as search:
            await search.search(request)
        await tracing.close()
    spans = collector.spans
    assert {*spans} == {"search", "search text+code+words", "search symbols"}
    for name in spans.keys() - {"search"}:
        assert spans[name].parent_span_id == spans["search"].span_id
    told = {each.key: each.value for each in spans["search text+code+words"].attributes}
    dropped = told["forebay.search.dropped"].array_value.values
    assert [each.string_value for each in dropped] == ["text: other_models", "code: other_models"]
    assert "getName" not in str(collector.exports)
    await database.close()


async def test_a_reranker_is_opened_where_it_has_an_address_and_its_key(
    tmp_path: Path, migrated_sqlite_url: str
) -> None:
    env = {
        "FOREBAY_INDEX__FOLDER": str(tmp_path / "index"),
        "FOREBAY_SEARCH__RERANKER__URL": "http://127.0.0.1:1/v1",
        "FOREBAY_SEARCH__RERANKER__MODEL": "m",
        "FOREBAY_SEARCH__RERANKER__API_KEY_FILE": str(tmp_path / "key"),
    }
    settings = load_settings(env)
    database = open_database(LedgerSettings(url=ServerUrl(migrated_sqlite_url)))

    with pytest.raises(SettingsError, match=r"search\.reranker takes its key from"):
        async with open_search(settings, database, ManualClock(), Metrics()):
            pass
    (tmp_path / "key").write_text("k")
    async with open_search(settings, database, ManualClock(), Metrics()) as search:
        assert isinstance(search, RerankedSearch)
    await database.close()


def test_whoever_searches_needs_the_keys_of_the_index_and_no_others() -> None:
    link = (
        '[{"name": "a", "kind": "anthropic", "base_url": "http://x", "model": "m",'
        ' "api_key_env": "NOWHERE"}]'
    )
    env = {
        "FOREBAY_PROVIDERS": link,
        "FOREBAY_INDEX__QDRANT__URL": "http://q:6333",
        "FOREBAY_INDEX__QDRANT__API_KEY_ENV": "QDRANT_KEY",
    }
    index = load_settings(env).index

    assert with_index_keys(index, {"QDRANT_KEY": "k"}).qdrant.api_key == Secret("k")
    with pytest.raises(SettingsError, match=r"index\.qdrant takes its key from \$QDRANT_KEY"):
        with_index_keys(index, {})
