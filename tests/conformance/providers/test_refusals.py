"""What every provider of models makes of a refusal, and how it leaves a server."""

from __future__ import annotations

import asyncio

import pytest

from tests.conformance.providers.adapters import Adapter, Build
from tests.conformance.providers.playing_server import JSON, PlayingServer
from tests.integration.providers.asking import Heard, failure, prompt
from workers.providers.error_class import ErrorClass, Setting, TimeoutPhase
from workers.providers.failures import ProviderTimeoutError
from workers.providers.provider import Provider

CLASSES = {
    301: ErrorClass.MISCONFIGURED,
    400: ErrorClass.INVALID_REQUEST,
    401: ErrorClass.UNAUTHORISED,
    402: ErrorClass.UNAUTHORISED,
    403: ErrorClass.UNAUTHORISED,
    404: ErrorClass.MISCONFIGURED,
    405: ErrorClass.MISCONFIGURED,
    408: ErrorClass.SERVER_ERROR,
    409: ErrorClass.SERVER_ERROR,
    413: ErrorClass.CONTEXT_TOO_LONG,
    422: ErrorClass.INVALID_REQUEST,
    429: ErrorClass.RATE_LIMITED,
    499: ErrorClass.BUSY,
    500: ErrorClass.SERVER_ERROR,
    502: ErrorClass.SERVER_ERROR,
    503: ErrorClass.SERVER_ERROR,
    529: ErrorClass.SERVER_ERROR,
}
SAID = {
    "maximum context length is 8192 tokens": ErrorClass.CONTEXT_TOO_LONG,
    "Incorrect API key provided": ErrorClass.UNAUTHORISED,
    "Insufficient credits": ErrorClass.UNAUTHORISED,
    "The model `x` does not exist": ErrorClass.MISCONFIGURED,
    "Your prompt was flagged by our content policy": ErrorClass.FILTERED,
    "Unrecognized request argument supplied: seed": ErrorClass.UNKNOWN_FIELD,
}


@pytest.fixture
def asked(build: Build, server: PlayingServer) -> Provider:
    return build(server.url, first_token_seconds=60, idle_seconds=60)


@pytest.mark.parametrize(("status", "error_class"), CLASSES.items())
async def test_a_status_has_its_class_and_is_asked_for_once(
    adapter: Adapter,
    asked: Provider,
    server: PlayingServer,
    status: int,
    error_class: ErrorClass,
) -> None:
    elsewhere = {"Location": f"{server.url}/elsewhere"}
    body = adapter.words.error("no", code="unheard_of").encode()
    server.sends(JSON, body, status=status, headers=elsewhere)

    error = await failure(asked)

    assert (error.error_class, error.status) == (error_class, status)
    assert error.retryable is error_class.retryable
    assert server.paths == [adapter.path]


@pytest.mark.parametrize(("message", "error_class"), SAID.items())
async def test_words_say_more_than_a_status(
    adapter: Adapter, asked: Provider, server: PlayingServer, message: str, error_class: ErrorClass
) -> None:
    body = adapter.words.error(message, code="invalid_request_error").encode()
    server.sends(JSON, body, status=400)

    error = await failure(asked)

    assert error.error_class is error_class
    assert message in error.message


async def test_a_wrong_key_says_what_to_mend_and_shows_it_to_nobody(
    adapter: Adapter, asked: Provider, server: PlayingServer
) -> None:
    server.sends(JSON, adapter.words.error("denied", code="no").encode(), status=401)

    error = await failure(asked)

    assert error.mend is Setting.KEY
    assert "sk-test" not in f"{error!r} {error.message}"


async def test_the_wait_that_a_server_asks_for_is_passed_on(
    adapter: Adapter, asked: Provider, server: PlayingServer
) -> None:
    body = adapter.words.error("slow down", code="rate_limit_error").encode()
    server.sends(JSON, body, status=429, headers={"Retry-After": "7"})

    assert (await failure(asked)).retry_after_seconds == 7


async def test_an_error_in_the_middle_of_a_stream_is_one_after_the_first_token(
    adapter: Adapter, asked: Provider, server: PlayingServer
) -> None:
    told = adapter.words.error("overloaded", code="overloaded_error")
    server.streams(adapter.words.piece("Hi"), told)
    heard = Heard()

    error = await failure(asked, heard=heard)

    assert error.error_class is ErrorClass.SERVER_ERROR
    assert error.after_first_token
    assert error.usage is not None
    assert heard.text == "Hi"


@pytest.mark.parametrize("pieces", [(), ("Hi",)])
async def test_a_call_that_is_cancelled_closes_its_connection_at_once(
    adapter: Adapter, asked: Provider, server: PlayingServer, pieces: tuple[str, ...]
) -> None:
    server.streams(*map(adapter.words.piece, pieces), ends="never")
    call = asyncio.create_task(asked.answer(prompt(), time_left_seconds=60))
    async with asyncio.timeout(60):
        await server.is_asked.wait()
        call.cancel()
        await server.has_left.wait()
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_a_call_whose_time_is_up_closes_its_connection(
    adapter: Adapter, asked: Provider, server: PlayingServer
) -> None:
    server.streams(adapter.words.piece("Hi"), ends="never")

    error = await failure(asked, time_left_seconds=0.2)

    assert isinstance(error, ProviderTimeoutError)
    assert error.phase is TimeoutPhase.TOTAL
    async with asyncio.timeout(60):
        await server.has_left.wait()


async def test_an_error_of_the_caller_closes_the_connection_and_passes_unchanged(
    adapter: Adapter, asked: Provider, server: PlayingServer
) -> None:
    server.streams(adapter.words.piece("Hi"), ends="never")

    async def broken(piece: str) -> None:
        raise LookupError(piece)

    with pytest.raises(LookupError, match="Hi"):
        await asked.answer(prompt(), time_left_seconds=60, on_delta=broken)
    async with asyncio.timeout(60):
        await server.has_left.wait()
