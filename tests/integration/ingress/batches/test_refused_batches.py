"""What cannot be paid or met is refused when it is asked for, and says what would be taken."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from decimal import Decimal
from typing import Any

import anthropic
import msgspec
import openai
import pytest
from openai.types import Batch

from shared.messages.tenant import Plan
from shared.settings import Settings
from shared.settings.costs import CostSettings, PriceSettings
from shared.settings.providers import ProviderKind, ProviderSettings
from shared.settings.secret import ServerUrl
from tests.integration.ingress.batches.conftest import Upload, lines
from tests.integration.ingress.conftest import MakeKey
from tests.integration.ingress.stand_in_worker import StandInWorker

ASKED = {"endpoint": "/v1/responses"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A chain whose one model costs a cent for each thousand tokens."""
    provider = ProviderSettings(
        name="first",
        kind=ProviderKind.OPENAI_COMPATIBLE,
        base_url=ServerUrl("http://127.0.0.1:9/v1"),
        model="m",
    )
    ten = Decimal(10)
    price = PriceSettings(
        model="m", input_per_million=ten, output_per_million=ten, batch_share=Decimal("0.5")
    )
    return msgspec.structs.replace(
        settings, providers=(provider,), costs=CostSettings(prices=(price,))
    )


@pytest.fixture
async def key(make_key: MakeKey) -> str:
    """Of a tenant that may spend two dollars a day."""
    plan = Plan(10_000, 10**8, 10_000, 10**8, 10_000, daily_budget=Decimal(2))
    return await make_key("thrifty", plan=plan)


async def test_a_batch_that_costs_more_than_is_left_is_refused_and_not_asked_for_again(
    client: openai.AsyncOpenAI, upload: Upload
) -> None:
    small = await upload(lines(count=10, max_output_tokens=100))
    made = await client.batches.create(
        input_file_id=small,
        completion_window="24h",
        **ASKED,  # type: ignore[arg-type]
    )
    estimate = made.forebay["estimate"]  # type: ignore[attr-defined] # ours
    costs = [Decimal(estimate[name]["amount"]) for name in ("cost", "standard_cost")]
    assert costs[0] == costs[1] / 2
    assert Decimal("0.01") < costs[1] < Decimal("0.05")
    large = await upload(lines(count=5_000, max_output_tokens=100))
    with pytest.raises(openai.RateLimitError, match="of the day's budget") as raised:
        await client.batches.create(
            input_file_id=large,
            completion_window="24h",
            **ASKED,  # type: ignore[arg-type]
        )
    assert raised.value.code == "budget_exhausted"
    assert raised.value.response.headers["x-should-retry"] == "false"
    assert [each.id async for each in client.batches.list()] == [made.id]


async def test_what_a_batch_is_to_cost_is_no_other_batchs_and_no_messages(
    client: openai.AsyncOpenAI, upload: Upload
) -> None:
    def ask(file_id: str) -> Coroutine[Any, Any, Batch]:
        return client.batches.create(
            input_file_id=file_id,
            completion_window="24h",
            **ASKED,  # type: ignore[arg-type]
        )

    files = [await upload(lines(count=n, max_output_tokens=100)) for n in (1_000, 1_001)]
    told = await asyncio.gather(*map(ask, files), return_exceptions=True)
    made = [each for each in told if isinstance(each, Batch)]
    refused = [each for each in told if isinstance(each, openai.RateLimitError)]
    assert (len(made), len(refused)) == (1, 1)
    again = await ask(files[told.index(made[0])])
    assert again.id == made[0].id, "the same batch costs nothing again"
    with pytest.raises(openai.RateLimitError):
        await client.responses.create(input="Hi", max_output_tokens=90_000)
    small = await client.responses.create(input="Hi", max_output_tokens=10, background=True)
    assert small.status == "queued"


async def test_a_refused_batch_of_messages_leaves_no_file(
    anthropics: anthropic.AsyncAnthropic, client: openai.AsyncOpenAI
) -> None:
    said: Any = {"model": "m", "max_tokens": 100, "messages": [{"role": "user", "content": "Hi"}]}
    many: Any = [{"custom_id": f"n-{nth}", "params": said} for nth in range(5_000)]
    with pytest.raises(anthropic.RateLimitError, match="of the day's budget"):
        await anthropics.messages.batches.create(requests=many)
    assert [file async for file in client.files.list()] == []


async def answer_one(client: openai.AsyncOpenAI, worker: StandInWorker) -> None:
    """The lane moves."""
    sent = await client.responses.create(input="Hi", background=True, service_tier="flex")
    await worker.answer(await worker.claim(sent.id), "Hello.")


async def in_a_minute(client: openai.AsyncOpenAI, file_id: str) -> openai.BadRequestError | None:
    """Ask for it: why not, if it is refused."""
    try:
        await client.batches.create(
            input_file_id=file_id,
            completion_window="1m",  # type: ignore[arg-type] # ours
            **ASKED,  # type: ignore[arg-type]
        )
    except openai.BadRequestError as error:
        return error
    return None


async def test_a_window_that_the_lane_cannot_meet_is_refused(
    client: openai.AsyncOpenAI, upload: Upload, worker: StandInWorker
) -> None:
    file_id = await upload(lines(count=5_000, max_output_tokens=1))
    # This one waits for good: two seconds later the lane is known to be busy.
    await client.responses.create(input="Hi", background=True, service_tier="flex")
    async with asyncio.timeout(60):
        while True:
            await answer_one(client, worker)
            if (refused := await in_a_minute(client, file_id)) is not None:
                break
            await asyncio.sleep(0.5)
    assert refused.param == "completion_window"
    assert "Ask for a longer one" in refused.message
