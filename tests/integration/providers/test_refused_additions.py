"""What we add to a request and a server refuses is left out from then on, for that model alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from shared.clock import SystemClock
from tests.integration.providers.asking import http_model, prompt
from workers.providers.attempt import ChainResult
from workers.providers.chain import Chain, ChainLink
from workers.providers.error_class import ErrorClass
from workers.providers.failures import InvalidRequestError
from workers.providers.outcome import Answer
from workers.providers.provider import Prompt
from workers.providers.wire.http.connections import ProviderConnections

ANSWER = (
    b'data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
)
REFUSALS: dict[str, tuple[int, Any]] = {
    "pydantic": (
        422,
        {
            "detail": [
                {
                    "type": "extra_forbidden",
                    "loc": ["body", "stream_options"],
                    "msg": "Extra inputs are not permitted",
                }
            ]
        },
    ),
    "mistral": (422, {"message": "extra field stream_options: not permitted", "object": "error"}),
    "unnamed": (400, {"error": {"message": "Unknown parameter in the request."}}),
    "openai": (
        400,
        {
            "error": {
                "message": "Unrecognized request argument supplied: stream_options",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
    ),
}
NEW_LIMIT = {
    "error": {
        "message": "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
        "'max_completion_tokens' instead.",
        "type": "invalid_request_error",
        "param": "max_tokens",
        "code": "unsupported_parameter",
    }
}


class StrictServer:
    """Refuses `field` in the requests of `model`, in the given words."""

    def __init__(self) -> None:
        self.field, self.model = "", "m"
        self.refusal: tuple[int, Any] = (400, {})
        self.asked: list[dict[str, Any]] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked.append(body)
        if self.field in body and body["model"] == self.model:
            status, words = self.refusal
            return web.json_response(words, status=status)
        return web.Response(body=ANSWER, content_type="text/event-stream")


@pytest.fixture
async def strict() -> AsyncIterator[StrictServer]:
    server, app = StrictServer(), web.Application()
    app.router.add_post("/v1/chat/completions", server.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    yield server
    await runner.cleanup()


@pytest.fixture
def chain(strict: StrictServer, connections: ProviderConnections) -> Chain:
    provider = http_model(connections, strict.url, name="strict", models=("m", "other"))
    return Chain([ChainLink(provider=provider)], clock=SystemClock())


async def ask(chain: Chain, asked: Prompt) -> ChainResult:
    return await chain.answer(asked, deadline=SystemClock().now() + timedelta(seconds=20))


@pytest.mark.parametrize("words", REFUSALS)
async def test_it_is_asked_again_without_and_never_with_it_again(
    strict: StrictServer, chain: Chain, words: str
) -> None:
    strict.field, strict.refusal = "stream_options", REFUSALS[words]
    for calls in (2, 1):
        strict.asked.clear()
        result = await ask(chain, prompt())
        assert isinstance(result.outcome, Answer)
        assert len(strict.asked) == calls
    await ask(chain, prompt(model="other"))
    assert "stream_options" in strict.asked[-1], "another model may know it"


async def test_the_limit_is_given_by_its_other_name(strict: StrictServer, chain: Chain) -> None:
    strict.field, strict.refusal = "max_tokens", (400, NEW_LIMIT)
    result = await ask(chain, prompt(max_output_tokens=9))
    assert isinstance(result.outcome, Answer)
    assert strict.asked[-1]["max_completion_tokens"] == 9
    assert [each.error_class for each in result.attempts] == [ErrorClass.UNKNOWN_FIELD, None]
    assert "max_tokens" not in strict.asked[-1]


async def test_a_field_of_the_callers_is_not_left_out(strict: StrictServer, chain: Chain) -> None:
    words = {"error": {"message": "Unknown parameter: 'seed'.", "param": "seed"}}
    strict.field, strict.refusal = "seed", (400, words)
    with pytest.raises(InvalidRequestError, match="seed"):
        await ask(chain, prompt(extra={"seed": 7}))
    assert len(strict.asked) == 1


async def test_calls_that_were_under_way_together_are_all_asked_again(
    strict: StrictServer, chain: Chain
) -> None:
    strict.field, strict.refusal = "stream_options", REFUSALS["pydantic"]
    results = await asyncio.gather(*(ask(chain, prompt()) for _ in range(4)))
    assert all(isinstance(each.outcome, Answer) for each in results)
    assert len(strict.asked) == 8, "each was refused before any knew of it"
