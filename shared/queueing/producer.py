"""For programs that post messages straight onto the queue. Needs kombu, not Celery.

with Producer("amqp://…", api_key="fb_…") as producer:
    producer.post("Summarise this: …", lane=Lane.BATCH)
    print(producer.ask("What is the capital of France?", timeout_seconds=60))
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, Self, TypedDict, Unpack
from uuid import uuid4

import msgspec

from shared.decoding import convert
from shared.errors import BrokerUnavailable, ForebayError
from shared.messages.lane import TIER_OF_LANE, Lane
from shared.messages.requests.intake_message import IntakeMessage
from shared.queueing.answers.reply_box import ReplyBox
from shared.queueing.sender import Sender
from shared.settings.secret import Secret, ServerUrl
from shared.settings.servers import BrokerSettings
from shared.settings.tls import TlsSettings

Input = str | list[dict[str, Any]]

_GROUP: Final = 100


class MessageOptions(TypedDict, total=False):
    """What a message may say besides its input; each as in POST /v1/responses."""

    model: str
    instructions: str
    user: str
    lane: Lane
    deadline: datetime
    """An aware time after which nobody wants the answer."""
    idempotency_key: str
    """Makes it harmless to post the message again; a random one if not given."""
    metadata: Mapping[str, str]
    conversation: str
    previous_response_id: str
    max_output_tokens: int
    temperature: float


class Receipt(msgspec.Struct, frozen=True):
    """The broker has the message. Posting it again under this key changes nothing."""

    idempotency_key: str


class AnswerTimeout(ForebayError):
    """No answer came in time. Ask again under the same idempotency key to wait on."""

    code = "answer_timeout"
    retryable = True


class MessageRefused(ForebayError):
    """The message was not accepted and is a dead letter; `reason` says why in one word."""

    code = "message_refused"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Producer:
    """Blocking, for one thread at a time. Every call raises BrokerUnavailable within about twice
    `patience_seconds` when the broker is away, and InvalidRequest for what no door would take.

    A posted message is safe with the broker, and accepted or refused a moment later. To hear which
    of the two, and to get the answer, use `ask`.
    """

    def __init__(
        self,
        broker_url: str,
        api_key: str,
        *,
        patience_seconds: float = 5.0,
        tls: TlsSettings | None = None,
    ) -> None:
        broker = BrokerSettings(
            url=ServerUrl(broker_url),
            publish_timeout_seconds=patience_seconds,
            tls=tls or TlsSettings(),
        )
        self._patience_seconds = patience_seconds
        self._sender = Sender(broker, Secret(api_key))
        self._replies = ReplyBox(broker)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Disconnects; a later call connects again."""
        self._sender.close()
        self._replies.close()

    def post(self, text: Input, **options: Unpack[MessageOptions]) -> Receipt:
        """Posts one message and returns when the broker has confirmed it."""
        message = build_message(text, **options)
        self._sender.send([message])
        return _receipt(message)

    def post_many(
        self,
        messages: Iterable[IntakeMessage],
        *,
        on_progress: Callable[[int], None] = lambda _: None,
    ) -> int:
        """Posts all of them, confirmed in groups; tells how many are safe so far.

        When it raises, what was reported is safe; posting all again is harmless where each message
        has an idempotency key of its own. Make the messages with `build_message`.
        """
        safe, group = 0, list[IntakeMessage]()
        for message in messages:
            group.append(message)
            if len(group) == _GROUP:
                safe = self._post_group(group, safe, on_progress)
                group = []
        return self._post_group(group, safe, on_progress) if group else safe

    def ask(
        self, text: Input, *, timeout_seconds: float = 60.0, **options: Unpack[MessageOptions]
    ) -> dict[str, Any]:
        """Posts one message and returns its response object, failed ones too.

        Survives a restart of the broker in between. Raises AnswerTimeout, or MessageRefused.
        """
        message = build_message(text, **options)
        deadline = time.monotonic() + timeout_seconds
        self._replies.open()
        self._sender.send([message], reply_to=self._replies.name)
        while (left := deadline - time.monotonic()) > 0:
            answer = self._replies.wait(_receipt(message).idempotency_key, left)
            if answer is not None:
                return _response(answer)
        raise AnswerTimeout(f"No answer came within {timeout_seconds:g} s.")

    def _post_group(
        self, group: list[IntakeMessage], safe: int, on_progress: Callable[[int], None]
    ) -> int:
        self._sender.send(group)
        on_progress(safe + len(group))
        return safe + len(group)


def build_message(text: Input, **options: Unpack[MessageOptions]) -> IntakeMessage:
    """A message in the form of the `intake` queue; raises InvalidRequest naming the field."""
    fields: dict[str, Any] = {"idempotency_key": uuid4().hex, **options, "input": text}
    lane = fields.pop("lane", None)
    if lane is not None:
        fields["service_tier"] = TIER_OF_LANE[Lane(lane)]
    return convert(fields, IntakeMessage)


def _receipt(message: IntakeMessage) -> Receipt:
    return Receipt(message.idempotency_key or "")


def _response(answer: bytes) -> dict[str, Any]:
    try:
        decoded: dict[str, Any] = msgspec.json.decode(answer)
    except msgspec.DecodeError as error:
        raise BrokerUnavailable(f"What came as the answer is not JSON: {error}") from error
    if "id" in decoded:
        return decoded
    error_object = decoded.get("error") or {}
    raise MessageRefused(
        str(error_object.get("code", "refused")), str(error_object.get("message", "Refused."))
    )
