"""A client that sends again what is known adds nothing but what is new."""

from __future__ import annotations

import time
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.conversations.joining import NamedItem, Telling, named
from shared.messages.item import (
    FunctionCall,
    FunctionCallOutput,
    Item,
    MessageItem,
    ReasoningItem,
    Role,
)

CALL = FunctionCall("call_1", "weather", "{}", id="fc_1")
OUTPUT = FunctionCallOutput("call_1", "sunny")
SYSTEM = MessageItem(Role.SYSTEM, "Be brief.")
THOUGHT = ReasoningItem(encrypted_content="…", id="rs_1")


def user(text: str) -> MessageItem:
    return MessageItem(Role.USER, text)


def model(text: str) -> MessageItem:
    return MessageItem(Role.ASSISTANT, text)


def told(*said: list[Item]) -> list[Item]:
    """What a model is told when each of these was said on top of the others."""
    telling = Telling()
    for items in said:
        telling.add(telling.unheard(named(items)))
    return [each.item for each in telling.items]


HI, HELLO, HOW, FINE = user("hi"), model("hello"), user("how are you"), model("fine")


@pytest.mark.parametrize(
    ("said", "whole"),
    [
        ([[HI, HELLO], [HOW]], [HI, HELLO, HOW]),
        ([[HI, HELLO], [HI, HELLO, HOW]], [HI, HELLO, HOW]),
        ([[HI, HELLO, HOW, FINE], [HOW, FINE, HI]], [HI, HELLO, HOW, FINE, HI]),
        ([[HI, HELLO, HOW, FINE], [HELLO, HOW]], [HI, HELLO, HOW, FINE, HELLO, HOW]),
        ([[HI], [HI]], [HI]),
        ([[HI, HELLO], [HI]], [HI, HELLO, HI]),
        ([[HOW, FINE], [HI, HELLO, HOW, FINE, HI]], [HI, HELLO, HOW, FINE, HI]),
        ([[SYSTEM, HI, HELLO], [SYSTEM, HI, HELLO, HOW]], [SYSTEM, HI, HELLO, SYSTEM, HOW]),
        ([[HI, HELLO], [SYSTEM, HI, HELLO, HOW]], [HI, HELLO, SYSTEM, HOW]),
        ([[HI, THOUGHT, HELLO, CALL], [THOUGHT, CALL, OUTPUT]], [HI, THOUGHT, HELLO, CALL, OUTPUT]),
        ([[HI, CALL, OUTPUT, HELLO], [CALL, OUTPUT, HOW]], [HI, CALL, OUTPUT, HELLO, HOW]),
    ],
)
def test_what_is_sent_again_is_told_once(said: list[list[Item]], whole: list[Item]) -> None:
    assert told(*said) == whole


def test_what_has_the_id_of_a_known_item_and_other_words_is_new() -> None:
    telling = Telling()
    telling.add([NamedItem("msg_1", HELLO)])
    assert telling.unheard([NamedItem("msg_1", FINE)]) == [NamedItem("msg_1", FINE)]
    assert telling.unheard([NamedItem("msg_1", HELLO), NamedItem(None, HI)]) == [
        NamedItem(None, HI)
    ]


texts = st.lists(st.sampled_from("ab"), max_size=6)


@given(turns=st.lists(texts, min_size=1, max_size=5))
def test_a_client_that_always_sends_everything_is_told_as_it_was_sent(
    turns: list[list[str]],
) -> None:
    alternating = (
        (user if nth % 2 == 0 else model)(text)
        for nth, text in enumerate(text for turn in turns for text in turn)
    )
    items = list[Item](alternating)
    lengths = accumulate(len(turn) for turn in turns)
    assert told(*(items[:length] for length in lengths)) == items


def test_nobody_can_send_what_takes_the_square_of_its_length() -> None:
    same: list[Item] = [HELLO] * 40_000
    telling = Telling()
    telling.add(named(same))
    began = time.process_time()
    assert telling.unheard(named([*same[:-1], HI, *same[:-1]])) == named([HI, *same[:-1]])
    assert time.process_time() - began < 2
