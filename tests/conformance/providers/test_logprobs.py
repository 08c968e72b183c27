"""Every provider of models tells how likely its tokens were, or leaves who asks to the next one."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from deploy.scripted_provider.provider import ScriptedProvider
from shared.messages.output import Logprobs, TokenLogprob
from shared.settings.providers import ProviderKind
from tests.conformance.providers.adapters import Adapter, Build
from tests.conformance.providers.official_types import as_official
from tests.conformance.providers.playing_server import PlayingServer
from tests.integration.providers.asking import prompt
from workers.providers.outcome import Answer, Declined
from workers.providers.provider import Piece, Provider
from workers.providers.wire.incoming_logprobs import MOST_LIKELY_TOKENS

telling = pytest.mark.parametrize(
    "adapter", [kind for kind in ProviderKind if kind.tells_logprobs], indirect=True
)
silent = pytest.mark.parametrize(
    "adapter",
    [kind for kind in ProviderKind if kind.is_model and not kind.tells_logprobs],
    indirect=True,
)


@pytest.fixture
def asked(build: Build, server: PlayingServer) -> Provider:
    return build(server.url, first_token_seconds=60, idle_seconds=60)


def weighed(token: str, **fields: object) -> dict[str, object]:
    return {"token": token, "logprob": -0.25, "bytes": list(token.encode()), **fields}


def event(text: str, *tokens: Any, name: str = "content") -> str:
    choice = {"delta": {"content": text}, "logprobs": {name: [*tokens]}}
    return msgspec.json.encode({"choices": [choice]}).decode()


async def heard_of(provider: Provider, **more: object) -> tuple[Answer, list[Piece]]:
    heard: list[Piece] = []

    async def hear(piece: Piece) -> None:
        heard.append(piece)

    told = prompt(**{"top_logprobs": 2, **more})
    answer = await provider.answer(told, time_left_seconds=60, on_delta=hear)
    assert isinstance(answer, Answer)
    return answer, heard


def told_in(answer: Answer) -> tuple[TokenLogprob, ...]:
    (item,) = answer.items
    assert isinstance(item, Logprobs)
    return item.tokens


@silent
async def test_the_provider_is_passed_over_where_it_has_none(
    asked: Provider, server: PlayingServer
) -> None:
    outcome = await asked.answer(prompt(top_logprobs=0), time_left_seconds=60)
    assert isinstance(outcome, Declined)
    assert "'logprobs'" in outcome.reason
    assert server.asked == []


@telling
async def test_they_are_asked_for_in_the_words_of_the_official_client(
    adapter: Adapter, asked: Provider, server: PlayingServer
) -> None:
    server.streams(event("42", weighed("42")), *adapter.words.closing("stop", None))
    await heard_of(asked, top_logprobs=20)
    await heard_of(asked, top_logprobs=0)
    await asked.answer(prompt(), time_left_seconds=60)
    many, none_beside, unasked = (as_official(adapter.official, body) for body in server.asked)
    assert (many["logprobs"], many["top_logprobs"]) == (True, 20)
    assert none_beside["logprobs"] is True
    assert "top_logprobs" not in none_beside
    assert "logprobs" not in unasked


@telling
async def test_each_token_comes_before_its_text_and_all_of_them_with_the_answer(
    adapter: Adapter, asked: Provider, server: PlayingServer
) -> None:
    likely = [weighed("4", logprob=-3), weighed("7")]
    first, second = weighed("4", top_logprobs=likely), weighed("2")
    server.streams(event("4", first), event("2", second), *adapter.words.closing("stop", None))
    answer, heard = await heard_of(asked)
    assert [msgspec.to_builtins(token) for token in told_in(answer)] == [
        {**first, "top_logprobs": [{**likely[0], "logprob": -3.0}, likely[1]]},
        {**second, "top_logprobs": []},
    ]
    streamed = [token for piece in heard if isinstance(piece, Logprobs) for token in piece.tokens]
    assert tuple(streamed) == told_in(answer)
    assert isinstance(heard[0], Logprobs)
    assert answer.dropped == ()


@telling
async def test_no_more_are_told_beside_a_token_than_can_be_asked_for(
    adapter: Adapter, asked: Provider, server: PlayingServer
) -> None:
    many = [weighed(str(nth)) for nth in range(30)]
    token = weighed("42", top_logprobs=many)
    server.streams(event("42", token), *adapter.words.closing("stop", None))
    answer, _ = await heard_of(asked)
    assert [one.token for one in told_in(answer)[0].top_logprobs] == [*map(str, range(20))]


@telling
async def test_a_whole_answer_and_a_refusal_tell_them_too(
    build: Build, scripted: ScriptedProvider, asked: Provider, server: PlayingServer
) -> None:
    choice = {
        "message": {"content": None, "refusal": "No."},
        "logprobs": {"content": None, "refusal": [weighed("No.")]},
        "finish_reason": "stop",
    }
    server.sends("application/json", msgspec.json.encode({"choices": [choice]}))
    answer, _ = await heard_of(asked)
    assert [token.token for token in told_in(answer)] == ["No."]
    said, _ = await heard_of(build())
    assert "".join(token.token for token in told_in(said)) == said.text
    assert all(len(token.top_logprobs) == 2 for token in told_in(said))


@telling
@pytest.mark.parametrize(
    ("odd", "told"),
    [
        ({"token": "a\ud800\0", "logprob": float("-inf")}, ["a", -9999.0, [97]]),
        ({"token": "a", "logprob": 10**400, "bytes": [256]}, ["a", -9999.0, [97]]),
        ({"token": "é", "logprob": None, "bytes": "x"}, ["é", -9999.0, [195, 169]]),
        ({"token": "a", "logprob": -1, "bytes": None, "top_logprobs": 7}, ["a", -1.0, [97]]),
        ({"token": 7, "logprob": -1}, None),
        ("a", None),
    ],
)
async def test_what_no_client_could_read_is_mended_or_left_out(
    adapter: Adapter, asked: Provider, server: PlayingServer, odd: Any, told: list[object] | None
) -> None:
    choice = {"delta": {"content": "42"}, "logprobs": {"content": [odd]}}
    server.streams(json.dumps({"choices": [choice]}), *adapter.words.closing("stop", None))
    answer, _ = await heard_of(asked)
    assert answer.text == "42"
    if told is None:
        assert (answer.items, answer.dropped) == ((), ("logprobs",))
    else:
        (token,) = told_in(answer)
        assert [token.token, token.logprob, token.bytes, token.top_logprobs] == [*told, []]
    assert msgspec.json.encode(answer.items)


@telling
@pytest.mark.parametrize("told", [None, [], {}, {"content": 1}, {"tokens": ["42"]}, "x"])
async def test_a_server_that_tells_none_is_heard_and_the_turn_says_so(
    adapter: Adapter, asked: Provider, server: PlayingServer, told: object
) -> None:
    choice = {"delta": {"content": "42"}, "logprobs": told}
    body = msgspec.json.encode({"choices": [choice]}).decode()
    server.streams(body, *adapter.words.closing("stop", None))
    answer, heard = await heard_of(asked)
    assert (answer.text, answer.items, heard) == ("42", (), ["42"])
    assert answer.dropped == ("logprobs",)


@telling
async def test_nobody_who_did_not_ask_is_told(
    adapter: Adapter, asked: Provider, server: PlayingServer
) -> None:
    server.streams(event("42", weighed("42")), *adapter.words.closing("stop", None))
    answer, heard = await heard_of(asked, top_logprobs=None)
    assert (answer.items, answer.dropped, heard) == ((), (), ["42"])


@telling
async def test_more_than_can_be_sent_of_answers_are_left_out_whole(
    adapter: Adapter, asked: Provider, server: PlayingServer
) -> None:
    likely = [weighed("y")] * 20
    tokens = [weighed("x", top_logprobs=likely)] * (MOST_LIKELY_TOKENS // 21 + 1)
    pieces = [event("x" * 100, *tokens[at : at + 100]) for at in range(0, len(tokens), 100)]
    server.streams(*pieces, *adapter.words.closing("stop", None))
    answer, _ = await heard_of(asked)
    assert (answer.items, answer.dropped) == ((), ("logprobs",))
