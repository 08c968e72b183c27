"""The account of batches: every line against the files, the ledger and what was booked."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, NamedTuple

import psycopg

from tests.chaos.batch_traffic import BatchTraffic
from tests.chaos.ground import Ground

_OPEN: Final = (
    b"SELECT id, state FROM batch "
    b"WHERE state NOT IN ('completed', 'failed', 'expired', 'cancelled') LIMIT 5"
)
_MESSAGES: Final = b"""
SELECT b.id, m.output_text, m.state, m.input_tokens,
       (SELECT count(*) FROM attempt a WHERE a.message_id = m.id AND a.error_class IS NULL)
FROM (SELECT DISTINCT batch_id AS id, message_id FROM batch_item) b
JOIN message m ON m.id = b.message_id
"""
_ANSWER: Final = "You said: "


class _Message(NamedTuple):
    answer: str | None
    state: str
    input_tokens: int
    booked: int
    """Calls of it that were answered, as the ledger has them."""


@dataclass
class BatchAccount:
    """Figures of one run, and `violations`, which must be none."""

    batches: int
    lines: int = 0
    answered: int = 0
    in_error_files: int = 0
    messages: int = 0
    violations: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return json.dumps(asdict(self))


async def settle_batches(
    ground: Ground, traffic: BatchTraffic, *, seconds: float = 120
) -> BatchAccount:
    """Waits until no batch in the ledger is open any more, then looks at every line."""
    await asyncio.to_thread(_wait_until_all_ended, ground, seconds)
    messages: dict[str, list[_Message]] = defaultdict(list)
    with ground.query() as connection:
        for batch_id, *told in connection.execute(_MESSAGES):
            messages[batch_id].append(_Message(*told))
    asked = ground.provider.calls_by_question()
    account = BatchAccount(len(traffic.accepted))
    for batch_id, texts in traffic.accepted.items():
        found = await traffic.find(batch_id)
        answered = await traffic.lines_of(found["output_file_id"])
        refused = await traffic.lines_of(found["error_file_id"])
        account.lines += len(texts)
        account.answered += len(answered)
        account.in_error_files += len(refused)
        account.messages += len(messages[batch_id])
        account.violations += [
            f"{batch_id}: {told}"
            for told in (
                *_of_lines(texts, found, answered, refused),
                *_of_messages(texts, found, messages[batch_id], asked),
            )
        ]
    return account


def _wait_until_all_ended(ground: Ground, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while opened := _still_open(ground):
        assert time.monotonic() < deadline, f"never ended: {opened}\n{ground.log_tail()}"
        time.sleep(0.05)


def _still_open(ground: Ground) -> list[tuple[object, ...]]:
    try:
        with ground.query() as connection:
            return connection.execute(_OPEN).fetchall()
    except psycopg.OperationalError as error:
        return [(str(error),)]


def _of_lines(
    texts: dict[str, str | None],
    batch: dict[str, Any],
    answered: list[dict[str, Any]],
    refused: list[dict[str, Any]],
) -> Iterator[str]:
    if batch["status"] != "completed":
        yield f"it is {batch['status']}"
    wrong = [name for name, text in texts.items() if text is None]
    counts = {
        "total": len(texts),
        "completed": len(texts) - len(wrong),
        "failed": len(wrong),
    }
    if batch["request_counts"] != counts:
        yield f"its counts are {batch['request_counts']}"
    ends = Counter(line["custom_id"] for line in (*answered, *refused))
    for name in texts.keys() | ends.keys():
        if name not in texts or ends[name] != 1:
            yield f"{name} is {ends[name]} times in its files"
    for line in answered:
        told = line["response"]["body"]["output"][0]["content"][0]["text"]
        if told != f"{_ANSWER}{texts[line['custom_id']]}":
            yield f"{line['custom_id']} got another's answer: {told}"
    if sorted(line["custom_id"] for line in refused) != sorted(wrong):
        yield f"in its error file are {[line['custom_id'] for line in refused]}"
    for line in refused:
        if not line["response"]["body"]["error"]["message"]:
            yield f"{line['custom_id']} has no reason"


def _of_messages(
    texts: dict[str, str | None],
    batch: dict[str, Any],
    messages: list[_Message],
    asked: Mapping[str, int],
) -> Iterator[str]:
    """Equal lines are one message, and the batch adds up what they used. Each answer of the
    provider is booked once at most: one that a dead worker was told is in nobody's books, and one
    that came too late in those of whoever asked."""
    distinct = {text for text in texts.values() if text is not None}
    answers = sorted(each.answer or "" for each in messages)
    if answers != sorted(f"{_ANSWER}{text}" for text in distinct):
        yield f"{len(distinct)} texts came to {len(messages)} messages"
    for each in messages:
        calls = asked.get((each.answer or "").removeprefix(_ANSWER), 0)
        if each.state != "completed" or not 1 <= each.booked <= calls:
            yield f"{each.answer} is {each.state}: {each.booked} of {calls} calls are booked"
    tokens = sum(each.input_tokens for each in messages)
    if batch["usage"]["input_tokens"] != tokens:
        yield f"it used {batch['usage']['input_tokens']} tokens, its messages {tokens}"
