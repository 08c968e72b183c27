"""/v1/index/jobs: read, followed and cancelled."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from shared.clock import SystemClock
from shared.index.jobs.index_jobs import IndexJobs
from shared.index.jobs.skipped_files import SkippedFiles, SkippedPath
from shared.persistence.engine import Database, open_database
from shared.persistence.tenants import TenantRepository
from shared.settings import Settings
from tests.integration.ingress.conftest import MakeKey


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    database = open_database(settings.ledger)
    yield database
    await database.close()


@pytest.fixture
async def job(http: aiohttp.ClientSession, database: Database) -> str:
    """As `forebay index` begins one."""
    async with http.post("/v1/collections", json={"name": "code"}) as answer:
        collection = (await answer.json())["id"]
    tenant = await TenantRepository(database, SystemClock()).named("acme")
    assert tenant is not None
    jobs = IndexJobs(database, SystemClock())
    made = await jobs.create(tenant.id, collection, "folder:/srv/code")
    skipped = [SkippedPath(nth, f"{nth}.bin", "binary", "It holds no text.") for nth in range(3)]
    await SkippedFiles(database).add(made, skipped)
    return made.id


async def _get(http: aiohttp.ClientSession, path: str, *, status: int = 200) -> Any:
    async with http.get(path) as answer:
        told = await answer.json()
        assert answer.status == status, told
        return told


async def test_a_job_is_read_listed_and_cancelled(http: aiohttp.ClientSession, job: str) -> None:
    found = await _get(http, f"/v1/index/jobs/{job}")
    assert (found["state"], found["source"]) == ("queued", "folder:/srv/code")
    assert found["documents"] == dict.fromkeys(
        ("waiting", "completed", "failed", "skipped", "cancelled"), 0
    )
    for query in ("", "?collection=code", "?limit=1"):
        page = await _get(http, f"/v1/index/jobs{query}")
        assert (page["data"], page["has_more"]) == ([found], False)
    assert (await _get(http, f"/v1/index/jobs?after={job}"))["data"] == []
    page = await _get(http, f"/v1/index/jobs/{job}/skipped?limit=2")
    assert ([each["path"] for each in page["data"]], page["has_more"]) == (["0.bin", "1.bin"], True)
    page = await _get(http, f"/v1/index/jobs/{job}/skipped?after=1")
    assert [each["path"] for each in page["data"]] == ["2.bin"]
    async with http.post(f"/v1/index/jobs/{job}/cancel") as answer:
        assert (await answer.json())["state"] == "cancelled"


async def test_a_job_is_followed_to_its_end(http: aiohttp.ClientSession, job: str) -> None:
    events: list[tuple[str, str]] = []
    async with http.get(f"/v1/index/jobs/{job}?stream=true") as answer:
        assert answer.content_type == "text/event-stream"
        kind = ""
        async for line in answer.content:
            if line.startswith(b"event: "):
                kind = line[7:].decode().strip()
            elif line.startswith(b"data: "):
                events.append((kind, json.loads(line[6:])["state"]))
                if len(events) == 1:
                    async with http.post(f"/v1/index/jobs/{job}/cancel") as cancelled:
                        assert cancelled.status == 200
    assert events == [("index.job.progress", "queued"), ("index.job.ended", "cancelled")]


async def test_what_is_wrong_is_refused_by_its_name(
    http: aiohttp.ClientSession, job: str, make_key: MakeKey
) -> None:
    for path, status, param in (
        (f"/v1/index/jobs/{job}?stream=yes", 400, "stream"),
        (f"/v1/index/jobs/{job}/skipped?after=x", 400, "after"),
        ("/v1/index/jobs?limit=101", 400, "limit"),
        ("/v1/index/jobs?collection=none", 404, "collection"),
        ("/v1/index/jobs/job_1", 404, "job_id"),
        ("/v1/index/jobs/job_1/skipped", 404, "job_id"),
    ):
        assert (await _get(http, path, status=status))["error"]["param"] == param
    headers = {"Authorization": f"Bearer {await make_key('other')}"}
    for method, path in (("GET", ""), ("POST", "/cancel"), ("GET", "/skipped")):
        url = f"/v1/index/jobs/{job}{path}"
        async with http.request(method, url, headers=headers) as answer:
            assert answer.status == 404
