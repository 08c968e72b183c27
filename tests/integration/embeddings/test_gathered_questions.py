"""Questions asked at once travel to a server together, and none suffers from another."""

from __future__ import annotations

import asyncio

import numpy
import pytest

from deploy.scripted_provider.behaviour import Behaviour, Kind
from deploy.scripted_provider.provider import ScriptedProvider
from shared.embeddings.encoder import Encoder, EncoderPrompt, EncoderUnavailable
from shared.embeddings.onnx import OnnxEncoder
from shared.retrieval.asking.gathered_questions import GatheredQuestions

TEXTS = [f"question {number}" for number in range(20)]


async def test_questions_at_once_are_one_call_and_each_has_its_own_vector(
    provider: ScriptedProvider, encoder: Encoder
) -> None:
    questions = GatheredQuestions(encoder, timeout_seconds=60)
    made = await asyncio.gather(*map(questions.encode, TEXTS))
    assert len(provider.calls) == 1
    alone = await encoder.encode(TEXTS, prompt=EncoderPrompt.QUERY)
    assert numpy.array_equal([each.vector for each in made], alone)


async def test_a_question_waits_for_no_answer_to_another(
    provider: ScriptedProvider, encoder: Encoder
) -> None:
    provider.script(Behaviour(kind=Kind.HANG, times=1))
    questions = GatheredQuestions(encoder, timeout_seconds=60)
    hanging = asyncio.ensure_future(questions.encode("first"))
    while not provider.calls:  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    made = await asyncio.gather(questions.encode("second"), questions.encode("third"))
    assert len(made) == 2
    assert not hanging.done()
    await provider.close()
    with pytest.raises(EncoderUnavailable):
        await hanging


async def test_what_one_question_is_refused_for_costs_the_others_nothing(
    provider: ScriptedProvider, encoder: Encoder
) -> None:
    provider.script(Behaviour(kind=Kind.UNAUTHORISED), said="question 7")
    questions = GatheredQuestions(encoder, timeout_seconds=60)
    made = await asyncio.gather(*map(questions.encode, TEXTS), return_exceptions=True)
    refused = [place for place, each in enumerate(made) if isinstance(each, EncoderUnavailable)]
    assert refused == [7]
    assert not any(isinstance(each, Exception) for each in made[:7] + made[8:])


async def test_a_question_that_is_too_long_is_said_to_be_cut_and_its_neighbour_is_not(
    provider: ScriptedProvider, encoder: Encoder
) -> None:
    provider.script(Behaviour(kind=Kind.CONTEXT_TOO_LONG), said="tail")
    questions = GatheredQuestions(encoder, timeout_seconds=60)
    short, long = await asyncio.gather(
        questions.encode("short"), questions.encode("word " * 40 + "tail")
    )
    assert (short.truncated, long.truncated) == (False, True)


@pytest.mark.parametrize("texts", [["one"], ["one", "two", "three"]])
async def test_a_model_of_this_process_is_asked_for_each(texts: list[str]) -> None:
    encoder = OnnxEncoder()
    questions = GatheredQuestions(encoder, timeout_seconds=60)
    made = await asyncio.gather(*map(questions.encode, texts))
    alone = await encoder.encode(texts)
    await encoder.close()
    assert numpy.array_equal([each.vector for each in made], alone)


async def test_a_server_that_hangs_holds_a_call_no_longer_than_is_said(
    provider: ScriptedProvider, encoder: Encoder
) -> None:
    provider.script(Behaviour(kind=Kind.HANG))
    questions = GatheredQuestions(encoder, timeout_seconds=0.05)
    with pytest.raises(TimeoutError):
        await questions.encode("one")
    await questions.close()
