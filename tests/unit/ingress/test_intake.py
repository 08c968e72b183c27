"""The second door's decisions, with what is behind it played by the test."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingress.acceptance import Acceptance, AcceptedMessage
from ingress.admission.verdict import RefusalReason, Refused
from ingress.authentication import Authentication, Caller
from ingress.intake.intake import Intake
from ingress.intake.submission import UnfitSubmission, submission_of
from ingress.references import References
from shared.accepting.arrival import Arrival
from shared.accepting.reply_address import reply_address
from shared.errors import LedgerUnavailable
from shared.messages.body import Body, TextFormat, TextOptions
from shared.messages.dead_letter import Bury, DeadReason
from shared.messages.record import ReplyShape
from shared.messages.state import ResponseState
from shared.messages.stored_body import decode_body
from shared.messages.tenant import KeyScope, Tenant
from shared.queueing.answers.answers import QueuedAnswer
from shared.queueing.reading.delivery import Delivery
from shared.settings.secret import ServerUrl
from shared.settings.servers import BrokerSettings
from shared.telemetry.metrics import Metrics
from tests.queued_message import queued_message

RABBITMQ = BrokerSettings(url=ServerUrl("amqp://127.0.0.1"))
REDIS = BrokerSettings(url=ServerUrl("redis://127.0.0.1"))
PLAIN = Delivery(
    body=b'{"input":"Hello"}',
    headers={},
    correlation_id="c",
    reply_to="mine",
)
LIMIT = 1000
REFUSED = Refused(RefusalReason.RATE_LIMITED_REQUESTS, "Slow down.", 3.0, None)
AWAY = Refused(RefusalReason.UNAVAILABLE, "Redis is away.", 0.0, None)


class Behind:
    """Acceptance, authentication and answers that do as they are told."""

    def __init__(self, *outcomes: object) -> None:
        self.outcomes = list(outcomes)
        self.arrivals: list[Arrival] = []
        self.answers: list[QueuedAnswer] = []

    async def caller(self, _: str | None) -> Caller:
        return Caller(Tenant("ten_1", "acme"), KeyScope.PRODUCER)

    async def accept(self, arrival: Arrival) -> object:
        self.arrivals.append(arrival)
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def send(self, answer: QueuedAnswer) -> None:
        self.answers.append(answer)

    async def handle(self, delivery: Delivery) -> Bury | None:
        behind = cast(Any, self)
        intake = Intake(
            RABBITMQ,
            cast(Acceptance, self),
            cast(Authentication, self),
            References(
                behind,
                behind,
                behind,
                behind,
                behind,
                behind,
                limit_bytes=LIMIT,
                text_limit_bytes=LIMIT,
            ),
            behind,
            behind,
            Metrics(),
            body_limit_bytes=LIMIT,
        )
        return await intake._take(delivery)


def accepted(state: ResponseState, *, repeated: bool = False) -> AcceptedMessage:
    record = queued_message(id="resp_" + "0" * 32, state=state)
    return AcceptedMessage(record, repeated=repeated)


async def test_while_nothing_can_be_committed_the_message_waits_in_hand() -> None:
    down = LedgerUnavailable("The ledger is away.", retry_after_seconds=0)
    behind = Behind(down, AWAY, down, accepted(ResponseState.QUEUED))
    assert await behind.handle(PLAIN) is None
    assert len({arrival.message_id for arrival in behind.arrivals}) == 1
    assert behind.outcomes == []


async def test_a_refusal_is_a_dead_letter_and_an_answer() -> None:
    behind = Behind(REFUSED)
    assert await behind.handle(PLAIN) == Bury(
        DeadReason.REFUSED, "rate_limited_requests: Slow down."
    )
    [answer] = behind.answers
    assert (answer.reply_to, answer.correlation_id) == ("mine", "c")
    assert json.loads(answer.body)["error"]["code"] == "refused"


async def test_whoever_asks_again_gets_the_answer_again() -> None:
    behind = Behind(accepted(ResponseState.COMPLETED, repeated=True))
    assert await behind.handle(PLAIN) is None
    [answer] = behind.answers
    assert json.loads(answer.body)["status"] == "completed"


async def test_the_arrival_says_who_waits_and_where() -> None:
    behind = Behind(accepted(ResponseState.QUEUED))
    await behind.handle(PLAIN)
    [arrival] = behind.arrivals
    assert (arrival.reply_to, arrival.reply_correlation) == ("mine", "c")
    assert arrival.reply_shape is ReplyShape.PLAIN
    assert arrival.idempotency_key == "intake:c"
    assert arrival.body == Body.says("Hello")
    assert decode_body(arrival.kept.raw) == arrival.body
    assert behind.answers == []


async def test_a_format_is_kept_as_it_was_given() -> None:
    form = {"type": "json_schema", "name": "n", "schema": {"type": "object"}}
    body = json.dumps({"input": "Hello", "text": {"format": {**form, "strict": None}}}).encode()
    behind = Behind(accepted(ResponseState.QUEUED))
    await behind.handle(Delivery(body=body, headers={}))
    assert behind.arrivals[0].body.text == TextOptions(TextFormat(**form))


async def test_what_is_not_supported_is_named_on_the_queue_too() -> None:
    body = b'{"input":[{"role":"user","content":[{"type":"input_audio","data":"x"}]}]}'
    with pytest.raises(UnfitSubmission, match="Only text, images and files are read") as unfit:
        await submission_of(Delivery(body=body, headers={}), limit_bytes=LIMIT)
    assert unfit.value.param == "input[0].content[0]"


@pytest.mark.parametrize(
    ("broker", "queue", "allowed"),
    [
        (RABBITMQ, "amq.rabbitmq.reply-to.g2dkABByYWJiaXRAbG9jYWxob3N0", True),
        (RABBITMQ, "agent.standard", False),
        (RABBITMQ, "dead", False),
        (RABBITMQ, "x" * 256, False),
        (REDIS, "reply.mine", True),
        (REDIS, "5c2f9d56-63a6-3d0c-8b0b-2f7c7a3c9f10", True),
        (REDIS, "intake", False),
        (REDIS, "unacked", False),
        (REDIS, "forebay:limits", False),
    ],
)
def test_no_producer_can_write_into_what_is_not_its_own(
    broker: BrokerSettings, queue: str, allowed: bool
) -> None:
    delivery = Delivery(body=b"", headers={}, reply_to=queue)
    assert (reply_address(delivery, broker) is not None) is allowed


def test_a_celery_producer_that_wants_no_result_gets_none() -> None:
    headers = {"task": "forebay.intake", "ignore_result": True}
    assert reply_address(Delivery(body=b"", headers=headers, reply_to="mine"), RABBITMQ) is None


HEADERS = st.dictionaries(
    st.sampled_from(["task", "id", "authorization", "x-forebay-malformed"]),
    st.none() | st.integers() | st.text() | st.just("forebay.intake") | st.lists(st.integers()),
)
BODIES = st.binary() | st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["input", "model"]), inner),
).map(lambda value: json.dumps(value).encode())


@given(HEADERS, BODIES)
def test_whatever_comes_is_a_submission_or_unfit_for_a_reason(
    headers: dict[str, Any], body: bytes
) -> None:
    with contextlib.suppress(UnfitSubmission):
        asyncio.run(submission_of(Delivery(body=body, headers=headers), limit_bytes=LIMIT))
