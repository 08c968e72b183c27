"""Documents that producers put onto the `index` queue of either broker."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from shared.index.documents.reading import Documents
from shared.index.states import DocumentState
from shared.persistence.engine import Database
from shared.queueing.producer import MessageRefused, Producer
from tests.integration.indexer.posting.conftest import PostingGround, dead_letters
from tests.integration.queueing.queue_contents import push_raw, put

PAGE = (Path(__file__).parents[4] / "docs/producers.md").read_text()
TASK = {"task": "forebay.documents", "lang": "py"}


async def test_they_are_committed_before_the_answer_and_indexed_once(
    posting: PostingGround, database: Database
) -> None:
    document = {"path": "trains.md", "text": "# Trains\nThe company pays.", "title": "Trains"}
    with Producer(str(posting.broker.url), posting.key) as producer:
        [told] = await asyncio.to_thread(producer.put_documents, "handbook", [document])
        found = await Documents(database).find(posting.tenant_id, posting.collection, told["id"])
        assert (found.path, found.title) == ("trains.md", "Trains")
        done = await _completed(posting, database, told["id"])
        await asyncio.to_thread(producer.post_documents, posting.collection, [document])
        [again] = await asyncio.to_thread(producer.put_documents, "handbook", [document])
    after = await Documents(database).find(posting.tenant_id, posting.collection, told["id"])
    assert (again["id"], again["state"]) == (told["id"], "completed")
    assert (after.ver, after.indexed_at) == (done.ver, done.indexed_at)


async def test_the_message_of_the_page_is_taken(posting: PostingGround, database: Database) -> None:
    body = _sample("documents")
    headers = TASK | {"id": "travel-1", "authorization": f"Bearer {posting.key}"}
    if posting.broker.is_redis:
        envelope = {
            "content-type": "application/json",
            "content-encoding": "utf-8",
            "headers": headers,
            "properties": {},
            "body": json.dumps(body),
        }
        await asyncio.to_thread(push_raw, posting.broker, "index", json.dumps(envelope).encode())
    else:
        await asyncio.to_thread(put, posting.broker, "index", json.dumps(body), headers=headers)
    async with asyncio.timeout(60):
        while not (found := await _at(posting, database, "travel.md")):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert (found[0].attributes, found[0].principals) == ({"year": 2026}, ("group:staff",))


async def test_what_is_refused_is_a_dead_letter_with_its_reason(
    posting: PostingGround, database: Database
) -> None:
    document = {"path": "a.md", "text": "a"}
    good = {"collection": "handbook", "documents": [document]}
    bad: list[tuple[str, list[Any], dict[str, Any], str, str]] = [
        ("b1", [], good, "fb_wrong", "unauthenticated"),
        ("b2", [], good, posting.reading_key, "unauthenticated"),
        ("b3", [], good | {"collection": "nowhere"}, posting.key, "invalid"),
        ("b4", [], good | {"documents": [{"path": "a.md"}]}, posting.key, "invalid"),
        ("b5", [1], good, posting.key, "invalid"),
        ("b6", [], {"about": good}, posting.key, "invalid"),
    ]
    for id_, args, kwargs, key, _ in bad:
        headers = TASK | {"id": id_, "authorization": f"Bearer {key}"}
        body = json.dumps([args, kwargs, {}])
        await asyncio.to_thread(put, posting.broker, "index", body, headers=headers)
    letters = {each.message_id: each for each in await dead_letters(posting, database, len(bad))}
    assert {each: letter.reason for each, letter in letters.items()} == {
        id_: reason for id_, _, _, _, reason in bad
    }
    assert "'documents[0]' either 'text' or 'base64'" in letters["b4"].detail
    assert posting.key not in letters["b4"].headers
    assert await _at(posting, database, "a.md") == []

    with (
        Producer(str(posting.broker.url), posting.reading_key) as producer,
        pytest.raises(MessageRefused, match="--principal") as refused,
    ):
        await asyncio.to_thread(producer.put_documents, "handbook", [document])
    assert refused.value.reason == "unauthenticated"


async def test_what_the_ledger_does_not_take_now_is_delivered_again(
    posting: PostingGround, database: Database
) -> None:
    """The message allows a second where an indexer would wait for 25 minutes."""
    body = json.dumps(
        [[], {"collection": "handbook", "documents": [{"path": "late.md", "text": "late"}]}, {}]
    )
    headers = TASK | {"id": "late", "authorization": f"Bearer {posting.key}"}
    ledger = sqlite3.connect(posting.ground.ledger_url.partition("///")[2])
    ledger.execute("BEGIN IMMEDIATE")
    await asyncio.to_thread(
        put, posting.broker, "index", body, headers=headers | {"timelimit": [30, 1]}
    )
    async with asyncio.timeout(60):
        while "documents given back" not in posting.indexer.log.read_text():  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    ledger.rollback()
    ledger.close()
    async with asyncio.timeout(60):
        while not await _at(posting, database, "late.md"):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def _completed(posting: PostingGround, database: Database, id_: str) -> Any:
    async with asyncio.timeout(60):
        while True:
            found = await Documents(database).find(posting.tenant_id, posting.collection, id_)
            if found.state is DocumentState.COMPLETED:
                return found
            await asyncio.sleep(0.05)


async def _at(posting: PostingGround, database: Database, path: str) -> list[Any]:
    documents = await Documents(database).list(
        posting.tenant_id, posting.collection, limit=100, newest_first=False
    )
    return [each for each in documents if each.path == path]


def _sample(name: str) -> Any:
    found = re.search(rf"<!-- tested: {name} -->\n```json\n(.*?)```", PAGE, re.DOTALL)
    assert found, f"docs/producers.md has no sample '{name}'"
    return json.loads(found[1])
