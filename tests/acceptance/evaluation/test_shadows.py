"""`forebay replay --live`: messages of a day asked again, judged, and their answers dropped."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, select

from deploy.cli.connection import command_settings, open_ledger
from deploy.scripted_provider.behaviour import Kind
from shared.messages.lane import Lane
from shared.messages.state import ResponseState
from shared.persistence.tables import OF_TRAFFIC, message
from tests.acceptance.command import (
    FOREBAY,
    RunningStack,
    Typed,
    clean_environment,
    http_post,
    printed,
)
from tests.integration.workers.provider_thread import ProviderThread

PREFERS = '{"reason":"So.","better":"%s"}'


def client_of(typed: Typed, tenant: str) -> str:
    return str(printed(typed, "keys", "create", "--tenant", tenant)["key"])


def say(stack: RunningStack, key: str, text: str, **fields: Any) -> str:
    body = {"model": "scripted", "input": text, **fields}
    headers = {"Authorization": f"Bearer {key}"}
    answer = http_post(f"{stack.ready['url']}/v1/responses", json=body, headers=headers).json()
    assert answer["status"] == "completed", answer
    return str(answer["id"])


def shadows(*, but: frozenset[str] = frozenset()) -> list[Row[Any]]:
    """What measurements have sent; beside `typed`, which knows the ledger."""

    async def read() -> list[Row[Any]]:
        columns = message.c.id, message.c.state, message.c.store, message.c.lane
        async with (
            open_ledger(command_settings()) as database,
            database.relaxed.connect() as connection,
        ):
            found = await connection.execute(select(*columns).where(~OF_TRAFFIC))
            return [each for each in found if each.id not in but]

    return asyncio.run(read())


def test_a_day_is_asked_again_and_judged_and_nobody_is_given_what_is_said(
    typed: Typed, provider: ProviderThread, stack: RunningStack
) -> None:
    key = client_of(typed, "asked-again")
    before = frozenset(each.id for each in shadows())
    better, worse, biased, nonsense = "Rome", "Oslo", "Bern", "Kyiv"
    for city in (better, worse, biased, nonsense):
        for text in (f"Then, {city}.", f"Now and longer, {city}."):
            provider.behave(Kind.ANSWER, contains=f"weather of {city}", text=text, times=1)
    for known, when_known_first, when_other_first in (
        (better, "second", "first"),
        (worse, "first", "second"),
        (biased, "first", "first"),
    ):
        said = PREFERS % when_known_first
        provider.behave(Kind.ANSWER, contains=f'"first":"Then, {known}', text=said)
        said = PREFERS % when_other_first
        provider.behave(Kind.ANSWER, contains=f'"first":"Now and longer, {known}', text=said)
    provider.behave(Kind.ANSWER, contains=f'"first":"Then, {nonsense}', text="Who can say?")
    for city in (better, worse, biased, nonsense):
        say(stack, key, f"What is the weather of {city}?")
    say(stack, key, "Repeat after me.")
    say(stack, key, "Forget me at once.", store=False)

    words = (
        "--tenant",
        "asked-again",
        "--budget",
        "1",
        "--variant",
        "terse",
        "--judge",
        "scripted",
    )
    told = printed(typed, "replay", "--live", "100%", *words)

    assert told["left_out"] == {"were not to be stored": 1}
    assert (told["end"], told["drawn"], told["asked"], told["not_begun"]) == ("done", 6, 5, 0)
    (group,) = told["models"]
    assert (group["model"], group["answered_by"]) == ("scripted", {"scripted": 5})
    assert group["variants"] == {"terse": 5}
    assert Decimal(told["spent"]) > Decimal(group["verdicts"]["cost"]) > 0
    figures = {each["name"]: each for each in group["figures"]}
    assert (figures["answered"]["recorded"], figures["answered"]["shadow"]) == (1, 1)
    written = figures["tokens written"]
    assert written["difference"]["low"] <= written["difference"]["mean"]
    assert written["shadow"] - written["recorded"] == written["difference"]["mean"] > 0
    assert figures["cost"]["shadow"] > figures["cost"]["recorded"] > 0
    assert all(each["pairs"] == 5 for each in figures.values())
    verdicts = group["verdicts"]
    assert (verdicts["wins"], verdicts["losses"]) == (1, 1)
    # What both orders do not say is a tie, and so are two answers that are the same.
    assert verdicts["ties"] == 2
    assert verdicts["without_verdict"] == 1
    assert any("gave no verdict" in why for why in verdicts["why_none"])
    assert verdicts["win_rate"]["low"] < verdicts["win_rate"]["mean"] == 0.5
    sent = shadows(but=before)
    assert {each.store for each in sent} == {False}
    assert {each.lane for each in sent} == {Lane.BATCH}
    (act,) = printed(typed, "audit", "list", "--limit", "1")
    assert (act["act"], act["target"]) == ("replay", "asked-again")

    in_words = typed("replay", "--live", "100", "--tenant", "asked-again", "--budget", "1")
    assert "tokens written" in in_words.stdout, in_words.stderr


def test_it_ends_where_the_budget_does_and_says_how_far_it_came(
    typed: Typed, stack: RunningStack
) -> None:
    key = client_of(typed, "thrifty")
    for number in range(4):
        say(stack, key, f"What is {number} and {number}?")

    told = printed(
        typed, "replay", "--live", "100%", "--tenant", "thrifty", "--budget", "0.00000001"
    )

    assert (told["end"], told["asked"], told["not_begun"]) == ("budget", 1, 3)
    assert told["reached"] is not None


def test_who_ends_it_by_hand_has_cancelled_what_is_not_answered(
    typed: Typed, provider: ProviderThread, stack: RunningStack
) -> None:
    key = client_of(typed, "in-a-hurry")
    for number in range(3):
        say(stack, key, f"Why is {number} so late?")
    provider.behave(Kind.HANG, contains="so late")
    before = frozenset(each.id for each in shadows())
    words = ("--live", "100%", "--tenant", "in-a-hurry", "--budget", "1", "--concurrency", "1")
    running = subprocess.Popen(
        [*FOREBAY, "replay", *words, "--json"],
        cwd=stack.folder,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    provider.wait_for_calls("so late", count=4)
    running.send_signal(signal.SIGINT)
    said, _ = running.communicate(timeout=60)

    told = json.loads(said)
    assert running.returncode == 130
    assert (told["end"], told["asked"], told["not_begun"]) == ("interrupted", 0, 2)
    assert [each.state for each in shadows(but=before)] == [ResponseState.CANCELLED]
