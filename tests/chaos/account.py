"""The account: every accepted id against what became of it."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from dataclasses import asdict, dataclass, field

import psycopg
from redis import Redis

from shared.messages.events import CLOSING_TYPES
from shared.messages.state import ALLOWED_TRANSITIONS, TERMINAL, ResponseState
from tests.chaos.ground import Ground
from tests.chaos.traffic import Traffic

_ENDS = [str(state) for state in TERMINAL]
_ROWS = "SELECT id, state, attempt, output_text FROM message"


@dataclass
class Account:
    """Figures of one run, and `violations` of the promise, which must be none."""

    accepted: int
    completed: int = 0
    dead_lettered: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    repeated_turns: int = 0
    provider_calls: int = 0
    wasted_calls: int = 0
    closing_events: int = 0
    violations: list[str] = field(default_factory=list)

    @property
    def wasted_share(self) -> float:
        """Provider calls beyond one for each message."""
        return self.wasted_calls / max(1, self.accepted)

    def __str__(self) -> str:
        return json.dumps(asdict(self) | {"wasted_share": round(self.wasted_share, 4)})


async def settle_account(ground: Ground, traffic: Traffic, *, seconds: float = 120) -> Account:
    """Waits until nothing in the ledger is open any more, then looks at every message."""
    await asyncio.to_thread(_wait_until_all_ended, ground, seconds)
    account = await asyncio.to_thread(_account, ground, traffic.accepted)
    unknown = await traffic.told_in_vain()
    account.violations += [f"{message_id} was told and the door has none" for message_id in unknown]
    return account


def _wait_until_all_ended(ground: Ground, seconds: float) -> None:
    deadline, query = time.monotonic() + seconds, f"{_ROWS} WHERE state <> ALL(%s) LIMIT 5"
    while open_rows := _open_rows(ground, query):
        late = time.monotonic() > deadline
        assert not late, f"never ended: {open_rows}\n{ground.log_tail()}"
        time.sleep(0.05)


def _open_rows(ground: Ground, query: str) -> list[tuple[object, ...]]:
    try:
        with ground.query() as connection:
            return connection.execute(query.encode(), [_ENDS]).fetchall()
    except psycopg.OperationalError as error:
        return [(str(error),)]


def _account(ground: Ground, accepted: dict[str, str]) -> Account:
    account = Account(accepted=len(accepted))
    with ground.query() as connection:
        rows = {row[0]: row[1:] for row in connection.execute(_ROWS.encode())}
        letters = connection.execute(b"SELECT message_id, reason FROM dead_letter").fetchall()
        steps = connection.execute(b"SELECT message_id, before, after FROM transition").fetchall()
    account.reasons = dict(Counter(reason for _, reason in letters))
    _compare(account, accepted, rows, Counter(message_id for message_id, _ in letters))
    _check_transitions(account, rows, steps)
    asked = ground.provider.calls_by_question()
    account.provider_calls = sum(asked.get(text, 0) for text in accepted.values())
    account.wasted_calls = sum(max(0, asked.get(text, 0) - 1) for text in accepted.values())
    _check_streams(account, ground, accepted)
    return account


def _compare(
    account: Account,
    accepted: dict[str, str],
    rows: dict[str, tuple[str, int, str | None]],
    letters: Counter[str],
) -> None:
    for text, ids in Counter(accepted.values()).items():
        if ids > 1:
            account.violations.append(f"{text} was accepted under {ids} ids")
    for message_id, text in accepted.items():
        if message_id not in rows:
            account.violations.append(f"{message_id} was accepted and is lost")
            continue
        state, attempt, answer = rows[message_id]
        account.repeated_turns += max(0, attempt - 1)
        if state == ResponseState.COMPLETED:
            account.completed += 1
            if answer != f"You said: {text}":
                account.violations.append(f"{message_id} got another's answer: {answer}")
            continue
        account.dead_lettered += 1
        if letters[message_id] != 1:
            account.violations.append(f"{message_id} {state}, {letters[message_id]} dead letters")


def _check_transitions(
    account: Account, rows: dict[str, object], steps: list[tuple[str, str, str]]
) -> None:
    ends = Counter(message_id for message_id, _, after in steps if after in TERMINAL)
    for message_id in rows:
        if ends[message_id] != 1:
            account.violations.append(f"{message_id} was ended {ends[message_id]} times")
    for message_id, before, after in steps:
        if ResponseState(after) not in ALLOWED_TRANSITIONS[ResponseState(before)]:
            account.violations.append(f"{message_id} went from {before} to {after}")


def _check_streams(account: Account, ground: Ground, accepted: dict[str, str]) -> None:
    with Redis.from_url(ground.stack.redis_url) as redis:
        for message_id in accepted:
            events = redis.xrange(f"forebay:{{{message_id}}}:events")
            kinds = [json.loads(fields[b"e"])["type"] for _, fields in events]
            closing = sum(kind in CLOSING_TYPES for kind in kinds)
            account.closing_events += closing
            if closing > 1:
                account.violations.append(f"{message_id} was closed {closing} times")
