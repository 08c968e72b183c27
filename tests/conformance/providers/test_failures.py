"""Every provider of models against a server that fails in every way it knows."""

from __future__ import annotations

import pytest

from deploy.scripted_provider.behaviour import Behaviour, Kind
from deploy.scripted_provider.provider import ScriptedProvider
from tests.conformance.providers.adapters import Build
from tests.integration.providers.asking import Heard, failure
from tests.servers.ports import free_port
from workers.providers.failures import (
    ContextTooLongError,
    ErrorClass,
    InvalidRequestError,
    ProviderError,
    TransientProviderError,
    UnauthorisedError,
)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("behave", "expected", "error_class"),
    [
        (Behaviour(kind=Kind.SERVER_ERROR), TransientProviderError, ErrorClass.SERVER_ERROR),
        (
            Behaviour(kind=Kind.SERVER_ERROR, status=529),
            TransientProviderError,
            ErrorClass.SERVER_ERROR,
        ),
        (Behaviour(kind=Kind.RATE_LIMITED), TransientProviderError, ErrorClass.RATE_LIMITED),
        (Behaviour(kind=Kind.UNAUTHORISED), UnauthorisedError, ErrorClass.UNAUTHORISED),
        (Behaviour(kind=Kind.UNAUTHORISED, status=402), UnauthorisedError, ErrorClass.UNAUTHORISED),
        (Behaviour(kind=Kind.UNAUTHORISED, status=403), UnauthorisedError, ErrorClass.UNAUTHORISED),
        (Behaviour(kind=Kind.INVALID_REQUEST), InvalidRequestError, ErrorClass.INVALID_REQUEST),
        (
            Behaviour(kind=Kind.INVALID_REQUEST, status=422),
            InvalidRequestError,
            ErrorClass.INVALID_REQUEST,
        ),
        (Behaviour(kind=Kind.CONTEXT_TOO_LONG), ContextTooLongError, ErrorClass.CONTEXT_TOO_LONG),
        (Behaviour(kind=Kind.DISCONNECT), TransientProviderError, ErrorClass.CUT_STREAM),
        (Behaviour(kind=Kind.CUT_STREAM), TransientProviderError, ErrorClass.CUT_STREAM),
        (
            Behaviour(kind=Kind.MALFORMED_JSON),
            TransientProviderError,
            ErrorClass.MALFORMED_ANSWER,
        ),
        (Behaviour(kind=Kind.EMPTY), TransientProviderError, ErrorClass.EMPTY_ANSWER),
        (Behaviour(kind=Kind.ERROR_IN_STREAM), TransientProviderError, ErrorClass.SERVER_ERROR),
    ],
    ids=lambda value: f"{value.kind}-{value.status}" if isinstance(value, Behaviour) else "",
)
async def test_each_misbehaviour_has_its_class_of_error(
    build: Build,
    scripted: ScriptedProvider,
    behave: Behaviour,
    expected: type[ProviderError],
    error_class: ErrorClass,
    streamed: bool,
) -> None:
    scripted.script(behave)

    error = await failure(build(), heard=Heard() if streamed else None)

    assert type(error) is expected
    assert error.error_class is error_class


async def test_an_invalid_request_carries_the_words_of_the_provider(
    build: Build, scripted: ScriptedProvider
) -> None:
    scripted.script(Behaviour(kind=Kind.INVALID_REQUEST, message="temperature must be below 2"))

    error = await failure(build())

    assert isinstance(error, InvalidRequestError)
    assert error.provider_message == "temperature must be below 2"
    assert error.status == 400


async def test_a_rate_limit_says_when_to_come_back(
    build: Build, scripted: ScriptedProvider
) -> None:
    scripted.script(Behaviour(kind=Kind.RATE_LIMITED, retry_after_seconds=7.5))

    assert (await failure(build())).retry_after_seconds == 7.5


@pytest.mark.parametrize(
    "kind", [Kind.CUT_STREAM, Kind.ERROR_IN_STREAM, Kind.MALFORMED_JSON, Kind.STALL]
)
async def test_a_failure_says_whether_text_had_arrived(
    build: Build, scripted: ScriptedProvider, kind: Kind
) -> None:
    scripted.script(Behaviour(kind=kind, after_tokens=2, times=1))
    scripted.script(Behaviour(kind=kind, after_tokens=0, times=1))
    provider = build(idle_seconds=0.5, first_token_seconds=0.5)

    heard = Heard()
    assert (await failure(provider, heard=heard)).after_first_token
    assert heard.text == "You said:"
    assert not (await failure(provider, heard=Heard())).after_first_token


async def test_a_closed_port_is_a_connection_error(build: Build) -> None:
    error = await failure(build(f"http://127.0.0.1:{free_port()}"))

    assert error.error_class is ErrorClass.CONNECTION
    assert error.retryable
