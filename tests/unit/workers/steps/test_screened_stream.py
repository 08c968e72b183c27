"""What leaves of a stream is what was judged; where it is not, the stream says so."""

from __future__ import annotations

from typing import cast

from shared.settings.validation import ValidationSettings
from workers.steps.screened_stream import ScreenedStream
from workers.steps.streaming import TextStream
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

    async def finish(self, text: str, *, is_whole: bool = True) -> None:
        self.told.append(f"<end {len(text)}>")

    async def abandon(self) -> None:
        self.told.append("<abandon>")


def screened(settings: ValidationSettings | None = None) -> tuple[ScreenedStream, list[str]]:
    noted = NotedStream()
    guardrail = build_guardrail(settings or ValidationSettings())
    return ScreenedStream(cast("TextStream", noted), guardrail.open_screen), noted.told


async def test_the_held_back_end_leaves_with_the_judgement() -> None:
    stream, told = screened()
    await stream.write(LONG)
    assert "".join(told) == LONG.removesuffix("thirteen.")
    await stream.finish(LONG)
    assert "".join(told[:-1]) == LONG
    assert told[-1] == f"<end {len(LONG)}>"


async def test_a_short_answer_leaves_in_one_piece() -> None:
    stream, told = screened()
    await stream.write("Yes")
    await stream.write(".")
    await stream.finish("Yes.")
    assert told == ["Yes.", "<end 4>"]


async def test_nothing_is_taken_back_that_never_left() -> None:
    stream, told = screened()
    await stream.write("Yes.")
    await stream.restart()
    await stream.write("No.")
    await stream.finish("No.")
    assert told == ["No.", "<end 3>"]


async def test_what_left_is_taken_back_where_the_judgement_differs() -> None:
    stream, told = screened()
    await stream.write(LONG)
    await stream.finish("Something else.")
    assert told[-3:] == ["<restart>", "Something else.", "<end 15>"]


async def test_without_patterns_every_piece_leaves_at_once() -> None:
    stream, told = screened(ValidationSettings(built_ins=()))
    await stream.write("Y")
    assert told == ["Y"]
