"""A worker whose chain ends with rules or a human, and a road to it; one pair of servers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.integration.conftest import OneMachine
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import Road, open_road
from tests.integration.workers.stack import Stack, openai_link

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


@pytest.fixture(scope="module", params=[True, False], ids=["with a human", "without"])
def has_human(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(scope="module")
def stack(
    has_human: bool,
    provider: ProviderThread,
    one_machine: OneMachine,
    tmp_path_factory: pytest.TempPathFactory,
) -> Stack:
    rules = tmp_path_factory.mktemp("rules") / "rules.toml"
    rules.write_text(RULES)
    links: list[dict[str, Any]] = [
        openai_link(provider.url, "first"),
        openai_link(provider.url, "second"),
        {"name": "rules", "kind": "rules", "rules_file": str(rules)},
    ]
    if has_human:
        links.append({"name": "people", "kind": "handoff"})
    return one_machine(
        *links,
        FOREBAY_VALIDATION__PATTERNS=json.dumps({"evil": "^(a+)+$", "staff": r"E-\d{5}"}),
        FOREBAY_VALIDATION__REFUSAL="handoff",
    )


@pytest.fixture
async def road(stack: Stack, worker: AgentWorker) -> AsyncIterator[Road]:
    async with open_road(stack) as opened:
        yield opened
