"""What leaves of a stream is what was judged; where it is not, the stream says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from shared.messages.item import ReasoningItem
from shared.messages.output import OutputItem, OutputMessage, output_items
from shared.settings.validation import ValidationSettings
from workers.steps.screened_stream import ScreenedStream
from workers.steps.streaming import AnswerStream
from workers.validation.building import build_guardrail

LONG = "It was a bright cold day in April, and the clocks were striking thirteen."


class NotedStream:
    """Notes what it is told, as the caller would see it."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def write(self, delta: str) -> None:
        self.told.append(delta)

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


def screened(settings: ValidationSettings | None = None) -> tuple[ScreenedStream, list[str]]:
    noted = NotedStream()
    guardrail = build_guardrail(settings or ValidationSettings())
    return ScreenedStream(cast("AnswerStream", noted), guardrail.open_screen), noted.told


async def test_the_held_back_end_leaves_with_the_judgement() -> None:
    stream, told = screened()
    await stream.write(LONG)
    assert "".join(told) == LONG.removesuffix("thirteen.")
    await stream.finish(LONG, whole(LONG))
    assert "".join(told[:-1]) == LONG
    assert told[-1] == f"<end {len(LONG)}>"


async def test_a_short_answer_leaves_in_one_piece() -> None:
    stream, told = screened()
    await stream.write("Yes")
    await stream.write(".")
    await stream.finish("Yes.", whole("Yes."))
    assert told == ["Yes.", "<end 4>"]


async def test_nothing_is_taken_back_that_never_left() -> None:
    stream, told = screened()
    await stream.write("Yes.")
    await stream.restart()
    await stream.write("No.")
    await stream.finish("No.", whole("No."))
    assert told == ["No.", "<end 3>"]


async def test_what_left_is_taken_back_where_the_judgement_differs() -> None:
    stream, told = screened()
    await stream.write(LONG)
    await stream.finish("Something else.", whole("Something else."))
    assert told[-2:] == ["<restart>", "<end 15>"]


async def test_a_thought_that_left_is_taken_back_with_what_followed_it() -> None:
    stream, told = screened()
    await stream.write(ReasoningItem())
    await stream.restart()
    await stream.restart()
    assert told == ["<thought>", "<restart>"]


async def test_without_patterns_every_piece_leaves_at_once() -> None:
    stream, told = screened(ValidationSettings(built_ins=()))
    await stream.write("Y")
    assert told == ["Y"]
