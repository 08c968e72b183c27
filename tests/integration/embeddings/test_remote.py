"""An encoder behind HTTP: what a server may do wrong, and that each is said by its name."""

from __future__ import annotations

import asyncio
import base64
import struct
import time

import msgspec
import numpy
import pytest

from deploy.scripted_provider.behaviour import Behaviour, Kind
from deploy.scripted_provider.embeddings import DIMENSIONS
from deploy.scripted_provider.provider import ScriptedProvider
from shared.embeddings.encoder import Encoder, EncoderPrompt, EncoderUnavailable
from shared.embeddings.opening import open_encoders
from shared.errors import SettingsError
from tests.integration.embeddings.conftest import remote


def raw(*vectors: object, **more: object) -> Behaviour:
    given = [{"index": index, "embedding": each} for index, each in enumerate(vectors)]
    text = msgspec.json.encode({"data": given, **more}).decode()
    return Behaviour(kind=Kind.RAW, text=text)


def packed(*numbers: float) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


async def test_prompts_are_put_before_texts(provider: ScriptedProvider, encoder: Encoder) -> None:
    await encoder.encode(["one"], prompt=EncoderPrompt.QUERY)
    await encoder.encode(["one"])
    assert [call.content for call in provider.calls] == ["query: one", "passage: one"]


async def test_the_tokens_are_those_that_the_server_counts(encoder: Encoder) -> None:
    assert (await encoder.encode_many(["two words", "and three more"])).tokens == 3 + 4


async def test_vectors_come_in_the_order_of_their_numbers(
    provider: ScriptedProvider, encoder: Encoder
) -> None:
    first, second = [3.0] + [0.0] * 63, [0.0, 2.0] + [0.0] * 62
    given = [{"index": 1, "embedding": second}, {"index": 0, "embedding": packed(*first)}]
    body = msgspec.json.encode({"data": given}).decode()
    provider.script(Behaviour(kind=Kind.RAW, text=body))
    vectors = await encoder.encode(["a", "b"])
    assert vectors[0].tolist() == [1.0] + [0.0] * 63
    assert vectors[1].tolist() == [0.0, 1.0] + [0.0] * 62


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        (raw(), "sent 0 embeddings for 1 texts"),
        (raw([1.0] * 64, [1.0] * 64), "sent 2 embeddings for 1 texts"),
        (raw([1.0] * 3), "a vector of 3 numbers, and the settings say dimensions = 64"),
        (raw(packed(*[float("nan")] * 64)), "a NaN or an infinity"),
        (raw(packed(*[0.0] * 64)), "a vector of zeros"),
        (raw("no base64!"), "no base64 of floats"),
        (Behaviour(kind=Kind.MALFORMED_JSON), "no answer of /embeddings"),
        (Behaviour(kind=Kind.UNAUTHORISED), "answered 401: .*Mend its url, its key"),
        (Behaviour(kind=Kind.DISCONNECT), "cannot be reached"),
        (Behaviour(kind=Kind.SERVER_ERROR), "answered 500"),
    ],
)
async def test_what_a_server_does_wrong_is_named(
    provider: ScriptedProvider, encoder: Encoder, behaviour: Behaviour, said: str
) -> None:
    provider.script(behaviour)
    with pytest.raises(EncoderUnavailable, match=said) as refused:
        await encoder.encode(["one"])
    assert "embeddings.text (small)" in refused.value.message or "zeros" in said


async def test_a_server_that_asks_for_time_is_given_it(
    provider: ScriptedProvider, encoder: Encoder
) -> None:
    provider.script(Behaviour(kind=Kind.RATE_LIMITED, retry_after_seconds=0.4, times=1))
    began = time.monotonic()
    assert (await encoder.encode(["one"])).shape == (1, DIMENSIONS)
    assert time.monotonic() - began >= 0.4
    assert len(provider.calls) == 2


async def test_a_server_that_asks_for_more_than_there_is_is_not_waited_for(
    provider: ScriptedProvider, encoder: Encoder
) -> None:
    provider.script(Behaviour(kind=Kind.RATE_LIMITED, retry_after_seconds=900))
    with pytest.raises(EncoderUnavailable, match="answered 429") as refused:
        await encoder.encode(["one"])
    assert refused.value.retry_after_seconds == 900
    assert len(provider.calls) == 1


async def test_a_server_that_hangs_is_left(provider: ScriptedProvider) -> None:
    provider.script(Behaviour(kind=Kind.HANG))
    async with open_encoders(remote(provider, timeout_seconds=0.2)) as encoders:
        with pytest.raises(EncoderUnavailable, match=r"did not answer within 0\.2 s"):
            await encoders.text.encode(["one"])


async def test_a_text_that_is_refused_is_cut_and_the_others_are_whole(
    provider: ScriptedProvider, encoder: Encoder
) -> None:
    provider.script(Behaviour(kind=Kind.CONTEXT_TOO_LONG), said="tail")
    texts = ["short", "word " * 40 + "tail", "other"]
    many = await encoder.encode_many(texts)
    assert many.truncated == (False, True, False)
    assert numpy.array_equal(many.vectors[::2], await encoder.encode(["short", "other"]))


async def test_a_model_that_can_is_asked_for_shorter_vectors(provider: ScriptedProvider) -> None:
    async with open_encoders(remote(provider, dimensions=16, asks_dimensions=True)) as encoders:
        assert (await encoders.text.encode(["one"])).shape == (1, 16)


async def test_many_texts_are_sent_in_few_calls(
    provider: ScriptedProvider, encoder: Encoder
) -> None:
    many = await encoder.encode_many([f"text {number}" for number in range(1000)])
    assert many.vectors.shape == (1000, DIMENSIONS)
    assert len(provider.calls) == 4
    assert provider.calls.most_in_flight <= 4


async def test_its_key_is_sent_and_one_that_is_not_there_is_said(
    provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = remote(provider, api_key_env="EMBEDDING_KEY")
    with pytest.raises(SettingsError, match="EMBEDDING_KEY, which is not set"):
        async with open_encoders(settings):
            pass
    monkeypatch.setenv("EMBEDDING_KEY", "secret")
    async with open_encoders(settings) as encoders:
        await encoders.text.encode(["one"])
    (call,) = provider.calls
    assert call.headers["key"] == "given"


async def test_a_caller_that_leaves_cuts_its_calls(
    provider: ScriptedProvider, encoder: Encoder
) -> None:
    provider.script(Behaviour(kind=Kind.HANG))
    waiting = asyncio.create_task(encoder.encode_many(["word " * 400] * 40))
    await provider.calls.until(lambda: provider.calls.in_flight == 4)
    waiting.cancel()
    await provider.calls.until(lambda: provider.calls.cut_by_client == 4)
