"""An answer that the judge rejects: asked once more, then elsewhere, or of a human at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from tests.unit.workers.providers.scripted_links import PROMPT, ListedProvider, Stage, answer
from workers.providers.attempt import ChainExhaustedError, ChainResult
from workers.providers.chain import Chain, ChainLink, Judge, Judgement
from workers.providers.error_class import ErrorClass
from workers.providers.outcome import Answer, HandedOff

HANDED_OFF = HandedOff(reason="", apology_text="")


def judge(**rejections: Judgement) -> Judge:
    """Rejects the texts that it has a judgement for."""

    async def judged(given: Answer) -> Judgement:
        return rejections.get(given.text, Judgement(accepted=True))

    return judged


AGAIN = Judgement(accepted=False, reason="facts (balance)", complaint="The balance is 47.15.")
ELSEWHERE = Judgement(accepted=False, reason="length")
TO_HUMAN = Judgement(accepted=False, reason="facts", hands_off=True)


async def ask(stage: Stage, by: Judge, *providers: ListedProvider) -> ChainResult:
    links = [ChainLink(provider=each, is_human=each.name == "human") for each in providers]
    deadline = stage.clock.now() + timedelta(seconds=60)
    return await Chain(links, clock=stage.clock).answer(PROMPT, deadline=deadline, judge=by)


def listening(stage: Stage, *texts: str) -> ListedProvider:
    return stage.provider("a", *map(answer, texts))


async def test_the_same_provider_is_asked_once_more_with_the_complaint() -> None:
    stage = Stage()
    provider = listening(stage, "bad", "good")
    result = await ask(stage, judge(bad=AGAIN), provider)
    assert isinstance(result.outcome, Answer)
    assert result.outcome.text == "good"
    first, second = provider.prompts
    assert first == PROMPT
    assert second == replace(PROMPT, notes=("The balance is 47.15.",))
    rejected, accepted = result.attempts
    assert (rejected.error_class, rejected.detail) == (ErrorClass.REJECTED, "facts (balance)")
    assert rejected.usage is not None, "it is paid for"
    assert accepted.error_class is None


async def test_a_second_rejection_sends_the_plain_prompt_to_the_next_provider() -> None:
    stage = Stage()
    first, second = listening(stage, "bad", "bad"), listening(stage, "good")
    result = await ask(stage, judge(bad=AGAIN), first, second)
    assert len(first.prompts) == 2
    assert second.prompts == [PROMPT]
    assert [attempt.error_class for attempt in result.attempts] == ["rejected", "rejected", None]


async def test_without_a_complaint_the_next_provider_is_asked_at_once() -> None:
    stage = Stage()
    first, second = listening(stage, "bad"), listening(stage, "good")
    await ask(stage, judge(bad=ELSEWHERE), first, second)
    assert (len(first.prompts), len(second.prompts)) == (1, 1)


async def test_an_answer_for_a_human_passes_all_other_providers_by() -> None:
    stage = Stage()
    untouched = stage.provider("b", answer("good"))
    human = stage.provider("human", HANDED_OFF)
    result = await ask(stage, judge(bad=TO_HUMAN), listening(stage, "bad"), untouched, human)
    assert result.outcome is HANDED_OFF
    assert untouched.calls == []


async def test_when_all_are_rejected_the_chain_is_exhausted() -> None:
    stage = Stage()
    with pytest.raises(ChainExhaustedError) as exhausted:
        await ask(stage, judge(bad=TO_HUMAN), listening(stage, "bad"), listening(stage, "good"))
    assert [attempt.error_class for attempt in exhausted.value.attempts] == ["rejected"]


async def test_a_mended_answer_goes_out_with_its_evidence_kept() -> None:
    stage = Stage()
    mended = Judgement(accepted=True, reason="card", answer=answer("[removed]"))
    result = await ask(stage, judge(bad=mended), listening(stage, "bad"))
    assert isinstance(result.outcome, Answer)
    assert result.outcome.text == "[removed]"
    (attempt,) = result.attempts
    assert (attempt.error_class, attempt.detail) == (None, "card")


async def test_a_rejected_stream_is_taken_back_before_it_begins_again() -> None:
    stage = Stage()

    async def told(sink: object) -> Answer:
        assert callable(sink)
        await sink("bad")
        return answer("bad")

    provider = stage.provider("a", told, answer("good"))
    await stage.ask(provider, judge=judge(bad=AGAIN))
    assert stage.told == ["bad", "<restart>"]
