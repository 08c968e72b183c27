"""A part of a search that fails is named, and nothing of the question goes into a log."""

from __future__ import annotations

import asyncio

import pytest

from shared.errors import InvalidRequest
from shared.retrieval.asking.deadlines import Dropped, within
from shared.search.vector_store import StoreUnavailable


async def _fails(error: Exception) -> None:
    raise error


async def test_what_a_server_says_of_a_question_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    said = StoreUnavailable("Meilisearch answered 500: cannot look for `where is Anna's file`")

    assert await within(5, _fails(said)) == Dropped("store_unavailable")

    assert "store_unavailable" in caplog.text
    assert "Anna" not in caplog.text


async def test_what_is_late_is_dropped() -> None:
    assert await within(0.01, asyncio.Event().wait()) == Dropped("timeout")


async def test_a_question_that_is_no_good_is_the_askers() -> None:
    with pytest.raises(InvalidRequest):
        await within(5, _fails(InvalidRequest("Too long.", param="text")))
