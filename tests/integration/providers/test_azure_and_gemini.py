"""Azure OpenAI and Gemini's compatible endpoint: servers that take only their own form."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping

import pytest
from aiohttp import web

from shared.settings import load_settings
from shared.settings.loading.secrets import with_secrets
from tests.integration.providers.asking import Heard, failure, prompt
from workers.providers.building import build_provider
from workers.providers.error_class import ErrorClass, Setting
from workers.providers.outcome import Answer, FinishReason, Usage
from workers.providers.provider import Provider
from workers.providers.wire.http.connections import ProviderConnections

KEY = "the-key"
AZURE = """
data: {"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[\
{"prompt_index":0,"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}}}]}

data: {"choices":[{"content_filter_results":{},"delta":{"content":"","refusal":null,\
"role":"assistant"},"finish_reason":null,"index":0,"logprobs":null}],"created":1,"id":"c",\
"model":"gpt-4o-2024-08-06","object":"chat.completion.chunk","system_fingerprint":"fp"}

data: {"choices":[{"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}},\
"delta":{"content":"Many."},"finish_reason":null,"index":0,"logprobs":null}],"created":1,\
"id":"c","model":"gpt-4o-2024-08-06","object":"chat.completion.chunk"}

data: {"choices":[{"content_filter_results":{},"delta":{},"finish_reason":"stop","index":0}],\
"created":1,"id":"c","model":"gpt-4o-2024-08-06","object":"chat.completion.chunk"}

data: {"choices":[],"created":1,"id":"c","model":"gpt-4o-2024-08-06",\
"object":"chat.completion.chunk","usage":{"completion_tokens":2,"prompt_tokens":19,\
"prompt_tokens_details":{"audio_tokens":0,"cached_tokens":3},"total_tokens":21}}

data: [DONE]

"""
GEMINI = """
data: {"choices":[{"delta":{"content":"Ma","role":"assistant"},"index":0}],"created":1,"id":"g",\
"model":"gemini-2.5-flash","object":"chat.completion.chunk","usage":\
{"completion_tokens":1,"prompt_tokens":17,"total_tokens":18}}

data: {"choices":[{"delta":{"content":"ny.","role":"assistant"},"finish_reason":"stop","index":0}],\
"created":1,"id":"g","model":"gemini-2.5-flash","object":"chat.completion.chunk","usage":\
{"completion_tokens":2,"prompt_tokens":17,"total_tokens":19}}

data: [DONE]

"""
NO_DEPLOYMENT = (
    '{"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does '
    'not exist. If you created the deployment within the last 5 minutes, please wait."}}'
)
AZURE_WRONG_KEY = (
    '{"error":{"code":"401","message":"Access denied due to invalid subscription key or wrong API '
    'endpoint. Make sure to provide a valid key for an active subscription."}}'
)
AZURE_FILTERED = (
    '{"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI\'s '
    'content management policy.","type":null,"param":"prompt","code":"content_filter","status":400,'
    '"innererror":{"code":"ResponsibleAIPolicyViolation"}}}'
)
GEMINI_WRONG_KEY = (
    '[{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.",'
    '"status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}]'
)


class FrontDoor:
    """Takes the calls that its vendor would take, by path, query and header."""

    def __init__(self, answer: str, *, path: str, query: dict[str, str], key: str) -> None:
        self._answer = answer
        self._path, self._query, self._key = path, query, key
        self.refusal: tuple[int, str] | None = None
        self.strangers: list[str] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        header, _, value = self._key.partition(": ")
        asked = await request.json()
        is_right = (
            request.raw_path.partition("?")[0] == self._path
            and dict(request.query) == self._query
            and request.headers.get(header) == value
            and asked["stream_options"] == {"include_usage": True}
        )
        if not is_right:
            self.strangers.append(request.raw_path)
            return web.json_response({"error": {"message": "Resource not found"}}, status=404)
        if self.refusal is not None:
            status, body = self.refusal
            return web.Response(status=status, text=body, content_type="application/json")
        return web.Response(text=self._answer, content_type="text/event-stream")


async def served(door: FrontDoor) -> AsyncIterator[FrontDoor]:
    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", door.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    door.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield door
    await runner.cleanup()


@pytest.fixture
async def azure() -> AsyncIterator[FrontDoor]:
    door = FrontDoor(
        AZURE,
        path="/openai/deployments/my%20gpt%2F4o/chat/completions",
        query={"api-version": "2024-10-21"},
        key=f"api-key: {KEY}",
    )
    async for each in served(door):
        yield each


@pytest.fixture
async def gemini() -> AsyncIterator[FrontDoor]:
    door = FrontDoor(
        GEMINI,
        path="/v1beta/openai/chat/completions",
        query={},
        key=f"Authorization: Bearer {KEY}",
    )
    async for each in served(door):
        yield each


def built(connections: ProviderConnections, link: Mapping[str, str]) -> Provider:
    """As a file of settings would have it, the key from the environment."""
    named = json.dumps([{**link, "api_key_env": "VENDOR_KEY"}])
    env = {"FOREBAY_PROVIDERS": named, "VENDOR_KEY": KEY}
    (settings,) = with_secrets(load_settings(env), env).providers
    return build_provider(settings, connections)


def at_azure(connections: ProviderConnections, base_url: str, **more: str) -> Provider:
    link = {"name": "azure", "kind": "azure_openai", "model": "my gpt/4o", "base_url": base_url}
    return built(connections, link | more)


def at_gemini(connections: ProviderConnections, door: FrontDoor) -> Provider:
    url = f"{door.url}/v1beta/openai/"
    link = {"name": "gemini", "kind": "openai_compatible", "model": "gemini-2.5-flash"}
    return built(connections, link | {"base_url": url})


@pytest.mark.parametrize("end", ["", "/", "/openai", "/openai/"])
async def test_azure_is_asked_by_deployment_version_and_its_own_header(
    azure: FrontDoor, connections: ProviderConnections, end: str
) -> None:
    heard = Heard()

    answer = await at_azure(connections, azure.url + end).answer(
        prompt(), time_left_seconds=60, on_delta=heard
    )

    assert not azure.strangers
    assert answer == Answer(
        text="Many.",
        model="gpt-4o-2024-08-06",
        finish=FinishReason.STOP,
        usage=Usage(input_tokens=19, output_tokens=2, cached_tokens=3),
    )
    assert heard.text == "Many."


async def test_another_version_of_azures_api_is_named_in_the_query(
    azure: FrontDoor, connections: ProviderConnections
) -> None:
    asked = at_azure(connections, azure.url, api_version="2025-01-01-preview")

    assert (await failure(asked)).error_class is ErrorClass.MISCONFIGURED
    (path,) = azure.strangers
    assert path.endswith("?api-version=2025-01-01-preview")


async def test_gemini_is_asked_behind_its_path_with_a_bearer(
    gemini: FrontDoor, connections: ProviderConnections
) -> None:
    heard = Heard()

    answer = await at_gemini(connections, gemini).answer(
        prompt(), time_left_seconds=60, on_delta=heard
    )

    assert not gemini.strangers
    assert answer == Answer(
        text="Many.",
        model="gemini-2.5-flash",
        finish=FinishReason.STOP,
        usage=Usage(input_tokens=17, output_tokens=2),
    )
    assert heard.text == "Many."


@pytest.mark.parametrize(
    ("status", "body", "error_class", "mend"),
    [
        (404, NO_DEPLOYMENT, ErrorClass.MISCONFIGURED, Setting.MODEL),
        (401, AZURE_WRONG_KEY, ErrorClass.UNAUTHORISED, Setting.KEY),
        (400, AZURE_FILTERED, ErrorClass.FILTERED, None),
    ],
)
async def test_what_azure_refuses_is_told_apart(
    azure: FrontDoor,
    connections: ProviderConnections,
    status: int,
    body: str,
    error_class: ErrorClass,
    mend: Setting | None,
) -> None:
    azure.refusal = status, body

    error = await failure(at_azure(connections, azure.url))

    assert (error.error_class, error.mend) == (error_class, mend)


async def test_a_wrong_key_of_geminis_is_no_bad_request(
    gemini: FrontDoor, connections: ProviderConnections
) -> None:
    gemini.refusal = 400, GEMINI_WRONG_KEY

    error = await failure(at_gemini(connections, gemini))

    assert (error.error_class, error.mend) == (ErrorClass.UNAUTHORISED, Setting.KEY)
