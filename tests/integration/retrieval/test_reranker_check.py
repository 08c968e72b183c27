"""`forebay check` of a reranker: a line where one is set, and what is wrong with it when asked."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from aiohttp import web

from deploy.cli.check.finding import Level
from deploy.cli.check.reranker import check_reranker
from shared.settings.indexing.reranker import RerankerSettings
from shared.settings.secret import ServerUrl

from .rerank_server import Answer, hangs, rerank_server


async def _said(url: str, *, ask: bool = True, **changed: Any) -> tuple[Level, str]:
    settings = RerankerSettings(url=ServerUrl(url), model="m", timeout_seconds=60)
    (finding,) = await check_reranker(msgspec.structs.replace(settings, **changed), ask=ask)
    return finding.level, finding.sentence


async def test_it_is_asked_only_when_that_is_wanted() -> None:
    assert await check_reranker(RerankerSettings(), ask=True) == []
    async with rerank_server() as server:
        level, said = await _said(server.url, ask=False)
        assert (level, server.asked) == (Level.FINE, [])
        assert said.startswith("m at http://127.0.0.1")
        assert (await _said(server.url))[0] is Level.FINE
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda _: web.Response(status=401), "answered 401"),
        (lambda _: web.Response(text="<html>"), "no answer of /rerank"),
        (hangs, "did not answer within timeout_seconds = 0.2"),
    ],
)
async def test_what_is_wrong_with_it_is_said(answer: Answer, said: str) -> None:
    async with rerank_server() as server:
        server.misbehave(answer)
        level, told = await _said(server.url, timeout_seconds=0.2 if answer is hangs else 60)
    assert level is Level.HINT
    assert said in told
