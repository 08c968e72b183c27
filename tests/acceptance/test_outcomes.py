"""What keeps a conversation from being a success, each through a whole stack."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from deploy.cli.connection import command_settings, open_ledger
from shared.clock import SystemClock
from shared.outcomes.closing import QUIET, OutcomeRound
from shared.telemetry.metrics import Metrics
from tests.acceptance.command import RunningStack, Typed, http_post, printed


class _ClockAhead(SystemClock):
    """What was answered just now has been quiet for long enough."""

    def now(self) -> Any:
        return super().now() + QUIET + timedelta(minutes=1)


async def _close_all() -> None:
    clock, settings = _ClockAhead(), command_settings()
    async with open_ledger(settings) as database:
        closing = OutcomeRound(database, settings.ledger, Metrics(), clock, version="1")
        await closing(limit=1_000)


class Caller:
    """A tenant of its own, and what its one conversation came to."""

    def __init__(self, stack: RunningStack, typed: Typed, name: str) -> None:
        self.typed = typed
        self._name = name
        self._url = f"{stack.ready['url']}/v1/responses"
        key = printed(typed, "keys", "create", "--tenant", name)["key"]
        self._login = {"Authorization": f"Bearer {key}"}

    def ask(self, text: str, **body: Any) -> Any:
        return self.post("", {"input": text, "conversation": "one"} | body)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        answer = http_post(f"{self._url}{path}", json=body, headers=self._login)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def came_to(self) -> dict[str, Any]:
        asyncio.run(_close_all())
        (found,) = printed(self.typed, "outcomes", "--tenant", self._name)
        assert found["conversations"] == 1
        names = ("successes", "handed_off", "negative", "asked_again")
        return {name: found[name] for name in names} | {"completed": found["completion"]["mean"]}


@pytest.fixture
def caller(stack: RunningStack, typed: Typed, request: pytest.FixtureRequest) -> Caller:
    return Caller(stack, typed, request.node.name[:60])


CAME_WELL = {"successes": 1, "handed_off": 0, "negative": 0, "asked_again": 0, "completed": 1}


def test_what_is_answered_is_a_success(caller: Caller) -> None:
    caller.ask("Hello there")
    caller.ask("Hello, what about something else?")
    assert caller.came_to() == CAME_WELL


def test_what_does_not_end_well_is_none(caller: Caller) -> None:
    failed = caller.ask("word " * 40_000)
    assert failed["status"] == "failed"
    assert caller.came_to() == CAME_WELL | {"successes": 0, "completed": 0}


def test_what_a_person_had_to_answer_is_none(caller: Caller) -> None:
    handed = caller.ask("Why does the lake have two names?")
    assert handed["status"] == "requires_action", handed
    (open_one,) = (
        each
        for each in printed(caller.typed, "handoff", "list")
        if each["message_id"] == handed["id"]
    )
    assert caller.typed("handoff", "answer", open_one["id"], "By two rivers.").returncode == 0
    assert caller.came_to() == CAME_WELL | {"successes": 0, "handed_off": 1, "completed": 0}


def test_what_is_spoken_against_is_none(caller: Caller) -> None:
    said = caller.ask("Hello there")
    caller.post(f"/{said['id']}/feedback", {"name": "helpful", "value": False})
    assert caller.came_to() == CAME_WELL | {"successes": 0, "negative": 1}


def test_what_is_asked_again_in_other_words_is_none(caller: Caller) -> None:
    caller.ask("Hello, opening hours of harbour library Sunday?")
    caller.ask("Hello, on Sunday, when is the harbour library opening, what hours?")
    assert caller.came_to() == CAME_WELL | {"successes": 0, "asked_again": 1}
