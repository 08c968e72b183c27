"""What recalling leaves on a turn."""

from __future__ import annotations

import gc
import json
from typing import Any, cast
from weakref import ref

from shared.clock import SystemClock
from shared.settings.turn.context import ContextSettings
from shared.telemetry.metrics import Metrics
from tests.queued_message import queued_message
from workers.context.tokens import Counters
from workers.steps.recall import Recall
from workers.turn import begin_turn

RECALL = Recall(
    cast(Any, None),  # nothing is read: the message begins its conversation
    ContextSettings(),
    counters=Counters(()),
    model_for=lambda _: "m",
    summariser=None,
    metrics=Metrics(),
    clock=SystemClock(),
)


class Held:
    """Something that a turn holds."""


async def test_a_turn_is_gone_when_nobody_holds_it_any_more() -> None:
    turn = begin_turn(queued_message(body=json.dumps({"input": "well?"}), attempt=1))
    await RECALL(turn)
    assert turn.shorten(0.01) is None
    held: Any = Held()
    turn.cache_ticket, known = held, ref(held)
    gc.disable()  # it would be gone then, after a while and at a price
    try:
        del turn, held
        assert known() is None
    finally:
        gc.enable()


async def test_what_was_asked_is_held_once() -> None:
    turn = begin_turn(queued_message(body=json.dumps({"input": "well?"}), attempt=1))
    assert turn.record.body == ""
    assert turn.body.input[0].text() == "well?"


async def test_what_is_sent_to_a_queue_is_kept_as_it_came() -> None:
    message = queued_message(body=json.dumps({"input": "well?"}), attempt=1, reply_to="answers")
    assert begin_turn(message).record.body == message.body
