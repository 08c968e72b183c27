"""A prompt that is too long for a model: shortened once, and the same provider asked once more."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from shared.messages.item import MessageItem, Role
from tests.unit.workers.providers.scripted_links import PROMPT, Stage, answer, too_long, transient
from workers.providers.chain import Judgement
from workers.providers.failures import ContextTooLongError
from workers.providers.outcome import Answer
from workers.providers.provider import Prompt

SHORTER = replace(PROMPT, items=(MessageItem(Role.USER, "Hi"),))


class Shortener:
    """Gives the same prompt each time it is asked, and counts how often it was."""

    def __init__(self, shorter: Prompt | None = SHORTER) -> None:
        self.asked: list[Prompt] = []
        self.shares: list[float] = []
        self._shorter = shorter

    async def __call__(self, prompt: Prompt, share: float) -> Prompt | None:
        self.asked.append(prompt)
        self.shares.append(share)
        return self._shorter


@pytest.fixture
def stage() -> Stage:
    return Stage()


async def test_the_same_provider_is_asked_once_more_with_less(stage: Stage) -> None:
    shortener, spare = Shortener(), stage.provider("b")
    provider = stage.provider("a", too_long(), answer())

    result = await stage.ask(provider, spare, shorten=shortener)

    assert result.provider == "a"
    assert provider.prompts == [PROMPT, SHORTER]
    assert [each.error_class for each in result.attempts] == ["context_too_long", None]
    assert stage.slept == [], "there is nothing to wait for"
    assert spare.calls == []


async def test_without_a_shorter_prompt_the_next_provider_is_asked(stage: Stage) -> None:
    provider, spare = stage.provider("a", too_long()), stage.provider("b", answer())

    result = await stage.ask(provider, spare, shorten=Shortener(None))

    assert (result.provider, len(provider.calls)) == ("b", 1)


async def test_a_turn_shortens_once_and_every_window_is_tried_with_the_whole_first(
    stage: Stage,
) -> None:
    shortener = Shortener()
    first, second = stage.provider("a", *[too_long()] * 2), stage.provider("b", *[too_long()] * 2)
    large = stage.provider("c", answer())

    result = await stage.ask(first, second, large, shorten=shortener)

    assert result.provider == "c"
    assert shortener.asked == [PROMPT]
    assert first.prompts == second.prompts == [PROMPT, SHORTER]
    assert large.prompts == [PROMPT]


async def test_a_shortened_prompt_stays_short_when_its_call_is_tried_again(stage: Stage) -> None:
    provider = stage.provider("a", too_long(), transient(), answer())

    await stage.ask(provider, shorten=Shortener())

    assert provider.prompts == [PROMPT, SHORTER, SHORTER]


async def test_a_complaint_that_makes_it_too_long_is_kept_when_it_is_shortened(
    stage: Stage,
) -> None:
    async def judge(given: Answer) -> Judgement:
        return Judgement(accepted=given.text == "good", complaint="No.")

    provider = stage.provider("a", answer("bad"), too_long(), answer("good"))

    await stage.ask(provider, judge=judge, shorten=Shortener())

    _, complained, shortened = provider.prompts
    assert complained == replace(PROMPT, notes=("No.",))
    assert shortened == replace(SHORTER, notes=("No.",))


async def test_a_prompt_that_stays_too_long_everywhere_is_refused(stage: Stage) -> None:
    with pytest.raises(ContextTooLongError) as exhausted:
        await stage.ask(stage.provider("a", *[too_long()] * 2), shorten=Shortener())

    assert [each.error_class for each in exhausted.value.attempts] == ["context_too_long"] * 2


def too_long_by(window: int, prompt: int) -> ContextTooLongError:
    return ContextTooLongError(
        "p answered 400: long",
        provider_message="long",
        status=400,
        window_tokens=window,
        prompt_tokens=prompt,
    )


async def test_the_prompt_is_fitted_to_the_window_that_the_provider_names(stage: Stage) -> None:
    shortener = Shortener()
    provider = stage.provider("a", too_long_by(512, 4_096), too_long_by(512, 600), answer())

    result = await stage.ask(provider, shorten=shortener)

    assert isinstance(result.outcome, Answer)
    first, second = shortener.shares
    assert first == pytest.approx(0.75 * 512 / 4_096)
    assert second == pytest.approx(first * 0.75 * 512 / 600), "of the whole, as counted by both"


async def test_it_is_fitted_twice_at_the_most(stage: Stage) -> None:
    provider = stage.provider("a", *[too_long_by(512, 4_096)] * 3)
    with pytest.raises(ContextTooLongError):
        await stage.ask(provider, shorten=Shortener())
    assert len(provider.calls) == 3


async def test_the_result_tells_which_prompt_was_answered(stage: Stage) -> None:
    small, large = stage.provider("a", *[too_long()] * 2), stage.provider("b", answer())
    assert (await stage.ask(small, large, shorten=Shortener())).prompt == PROMPT
    small = stage.provider("a", too_long(), answer())
    assert (await stage.ask(small, shorten=Shortener())).prompt == SHORTER
