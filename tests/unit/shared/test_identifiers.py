"""Ids sort by time, never repeat, and say what they name."""

from __future__ import annotations

import re

import pytest

from shared.identifiers import HANDOFF, OUTPUT_MESSAGE, new_id, new_response_id, sibling_id

SHAPE = re.compile(r"resp_[0-9a-f]{32}")


def test_an_id_has_its_prefix_and_32_hex_digits() -> None:
    assert SHAPE.fullmatch(new_response_id())


def test_ids_never_repeat() -> None:
    assert len({new_id("x") for _ in range(20_000)}) == 20_000


def test_ids_of_a_later_millisecond_sort_later(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([1_700_000_000.001, 1_700_000_000.002, 1_900_000_000.0])
    monkeypatch.setattr("shared.identifiers.time.time", lambda: next(moments))
    first, second, third = new_id("x"), new_id("x"), new_id("x")
    assert first < second < third


def test_a_sibling_is_the_same_every_time_and_differs_by_its_prefix() -> None:
    message_id = new_response_id()
    handoff = sibling_id(HANDOFF, message_id)
    assert handoff == sibling_id(HANDOFF, message_id)
    assert handoff == f"hand_{message_id.removeprefix('resp_')}"
    assert handoff != sibling_id(OUTPUT_MESSAGE, message_id)
