"""A worker whose chain ends with rules or a human, and a road to it; one pair of servers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import Road, open_road
from tests.integration.workers.stack import Stack, openai_link
from tests.servers.migrated import migrate

RULES = """
[[rule]]
name = "balance"
answer = "Your balance is $$127,549.32, I was told: $message"
[rule.when]
contains_any = ["ask the rules"]

[[rule]]
name = "card"
answer = "The card is 4111 1111 1111 1111."
[rule.when]
contains_any = ["read the card out"]
"""


@pytest.fixture(scope="module")
def provider() -> Iterator[ProviderThread]:
    with ProviderThread() as thread:
        yield thread


@pytest.fixture(scope="module", params=[True, False], ids=["with a human", "without"])
def has_human(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(scope="module")
def stack(
    has_human: bool,
    provider: ProviderThread,
    redis_databases: Iterator[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Stack:
    folder = tmp_path_factory.mktemp("guardrail")
    (folder / "rules.toml").write_text(RULES)
    url = f"sqlite+aiosqlite:///{folder / 'ledger.sqlite3'}"
    migrate(url)
    provider.reset()
    links: list[dict[str, Any]] = [
        openai_link(provider.url, "first"),
        openai_link(provider.url, "second"),
        {"name": "rules", "kind": "rules", "rules_file": str(folder / "rules.toml")},
    ]
    if has_human:
        links.append({"name": "people", "kind": "handoff"})
    return Stack(
        broker_url=next(redis_databases),
        redis_url=next(redis_databases),
        ledger_url=url,
        providers=links,
        extra={
            "FOREBAY_VALIDATION__PATTERNS": json.dumps({"evil": "^(a+)+$", "staff": r"E-\d{5}"}),
            "FOREBAY_VALIDATION__REFUSAL": "handoff",
        },
    )


@pytest.fixture(scope="module")
def worker(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentWorker]:
    started = AgentWorker(stack, tmp_path_factory.mktemp("worker"))
    started.start()
    yield started
    started.kill()


@pytest.fixture
async def road(stack: Stack, worker: AgentWorker) -> AsyncIterator[Road]:
    async with open_road(stack) as opened:
        yield opened
