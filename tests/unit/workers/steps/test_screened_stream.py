"""What leaves of a stream is what was judged; where it is not, the stream says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from shared.messages.item import ReasoningItem
from shared.messages.output import (
    LikelyToken,
    Logprobs,
    OutputItem,
    OutputMessage,
    TokenLogprob,
    output_items,
)
from shared.settings.validation import ValidationSettings
from shared.telemetry.metrics import Metrics
from workers.steps.judging import Judging
from workers.steps.screened_stream import ScreenedStream
from workers.steps.streaming import AnswerStream
from workers.validation.building import build_guardrail
from workers.validation.marks import MarkReader

LONG = "It was a bright cold day in April, and the clocks were striking thirteen."


class NotedStream:
    """Notes what it is told, as the caller would see it."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.tokens: list[str] = []

    async def write(self, delta: str, logprobs: Sequence[TokenLogprob] = ()) -> None:
        self.told.append(delta)
        self.tokens.append("|".join(one.token for one in logprobs))

    async def restart(self) -> None:
        self.told.append("<restart>")

    async def think(self, thought: ReasoningItem) -> None:
        self.told.append("<thought>")

    async def finish(self, output: Sequence[OutputItem]) -> None:
        self.told.append(f"<end {len(_said(output))}>")

    async def abandon(self) -> None:
        self.told.append("<abandon>")


def _said(output: Sequence[OutputItem]) -> str:
    [message] = output
    assert isinstance(message, OutputMessage)
    return message.content[0].text


def whole(text: str) -> list[OutputItem]:
    return output_items("resp_1", text, ())


def screened(
    settings: ValidationSettings | None = None, marks: type[MarkReader] | None = None
) -> tuple[ScreenedStream, NotedStream]:
    noted = NotedStream()
    guardrail = build_guardrail(settings or ValidationSettings())
    screening = Judging(guardrail, Metrics())
    return ScreenedStream(cast("AnswerStream", noted), screening, marks), noted


def tokens(*texts: str, others: Sequence[str] = ()) -> Logprobs:
    beside = [LikelyToken(text, -2.0, list(text.encode())) for text in others]
    told = [TokenLogprob(text, -1.0, list(text.encode()), beside) for text in texts]
    return Logprobs(tuple(told))


async def test_the_held_back_end_leaves_with_the_judgement() -> None:
    stream, noted = screened()
    told = noted.told
    await stream.write(LONG)
    assert "".join(told) == LONG.removesuffix("thirteen.")
    await stream.finish(LONG, whole(LONG))
    assert "".join(told[:-1]) == LONG
    assert told[-1] == f"<end {len(LONG)}>"


async def test_a_short_answer_leaves_in_one_piece() -> None:
    stream, noted = screened()
    told = noted.told
    await stream.write("Yes")
    await stream.write(".")
    await stream.finish("Yes.", whole("Yes."))
    assert told == ["Yes.", "<end 4>"]


async def test_nothing_is_taken_back_that_never_left() -> None:
    stream, noted = screened()
    told = noted.told
    await stream.write("Yes.")
    await stream.restart()
    await stream.write("No.")
    await stream.finish("No.", whole("No."))
    assert told == ["No.", "<end 3>"]


async def test_what_left_is_taken_back_where_the_judgement_differs() -> None:
    stream, noted = screened()
    told = noted.told
    await stream.write(LONG)
    await stream.finish("Something else.", whole("Something else."))
    assert told[-2:] == ["<restart>", "<end 15>"]


async def test_a_thought_that_left_is_taken_back_with_what_followed_it() -> None:
    stream, noted = screened()
    told = noted.told
    await stream.write(ReasoningItem())
    await stream.restart()
    await stream.restart()
    assert told == ["<thought>", "<restart>"]


async def test_without_patterns_every_piece_leaves_at_once() -> None:
    stream, noted = screened(ValidationSettings(built_ins=()))
    told = noted.told
    await stream.write("Y")
    assert told == ["Y"]


async def test_each_token_leaves_with_the_text_that_holds_its_end() -> None:
    stream, noted = screened()
    words = ["It ", "was ", "a ", "bri", "ght cold", " day in", " April, and", " it", " rained."]
    for word in words:
        await stream.write(tokens(word))
        await stream.write(word)
    text = "".join(words)
    before = len(noted.told)
    assert before > 0
    for told, of_it in zip(noted.told, noted.tokens, strict=True):
        assert of_it.replace("|", "") in text
        assert len(of_it) <= len(told) + len(words)
    assert len("".join(noted.tokens).replace("|", "")) <= len("".join(noted.told))
    await stream.finish(text, output_items("resp_1", text, [tokens(*words)]))
    assert "|".join(one for one in noted.tokens if one) == "|".join(words)
    assert "".join(noted.told[:-1]) == text


async def test_no_token_of_a_text_that_was_masked_leaves_before_or_after() -> None:
    stream, noted = screened()
    words = ["Pay ", "with ", "4111 ", "1111 ", "1111 ", "1111", " and", " not", " in", " cash."]
    for word in words:
        await stream.write(tokens(word))
        await stream.write(word)
    judged = "Pay with [removed] and not in cash."
    await stream.finish(judged, whole(judged))
    assert "".join(noted.told[:-1]) == judged
    assert "1111" not in "".join(noted.tokens)


async def test_a_likely_token_that_is_forbidden_does_not_leave() -> None:
    stream, noted = screened(ValidationSettings(patterns={"name": "Voldemort"}))
    guardrail = build_guardrail(ValidationSettings(patterns={"name": "Voldemort"}))
    near = tokens("Harry", others=[" Voldemort", " Tom"])
    [told] = guardrail.told_tokens(near.tokens)
    assert [one.token for one in told.top_logprobs] == [" Tom"]
    assert guardrail.told_tokens(tokens("Voldemort").tokens) == ()
    await stream.write(near)
    await stream.write("Harry")
    await stream.finish("Harry", output_items("resp_1", "Harry", [near]))
    assert noted.told == ["Harry", "<end 5>"]


async def test_tokens_that_are_not_the_text_leave_at_its_end() -> None:
    stream, noted = screened()
    odd = [tokens("_It"), tokens("_was a"), tokens("_bright day. ")]
    for one, word in zip(odd, ["It", " was a", " bright day. "], strict=True):
        await stream.write(one)
        await stream.write(word)
    assert set(noted.tokens) == {""}
    all_of_them = Logprobs(tuple(token for one in odd for token in one.tokens))
    text = "It was a bright day. "
    await stream.finish(text, output_items("resp_1", text, [all_of_them]))
    assert noted.tokens[-1] == "_It|_was a|_bright day. "


async def test_marks_of_passages_never_leave_whole_or_in_half() -> None:
    stream, noted = screened(marks=MarkReader)
    for piece in ("The dam holds [", "1", "][2", "]. It ", "is high [3", "]."):
        await stream.write(tokens(piece))
        await stream.write(piece)
    text = "The dam holds. It is high."
    await stream.finish(text, whole(text))

    assert "".join(noted.told) == f"{text}<end {len(text)}>"
    assert len(noted.told) > 2
    assert not any(noted.tokens)


async def test_another_attempt_has_marks_of_its_own() -> None:
    stream, noted = screened(marks=MarkReader)
    await stream.write("The dam holds [1]. It ends [")
    await stream.restart()
    await stream.write("2] is the year. It holds.")
    text = "2] is the year. It holds."
    await stream.finish(text, whole(text))
    assert "".join(noted.told[:2]).startswith("The dam holds. It ends<restart>")
    assert "".join(noted.told[noted.told.index("<restart>") + 1 :]) == f"{text}<end {len(text)}>"
