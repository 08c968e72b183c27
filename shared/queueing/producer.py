"""For programs that post messages straight onto the queue. Needs kombu, not Celery.

with Producer("amqp://…", api_key="fb_…") as producer:
    producer.post("Summarise this: …", lane=Lane.BATCH)
    print(producer.ask("What is the capital of France?", timeout_seconds=60))
    producer.post_documents("handbook", [{"path": "travel.md", "text": "# Trains"}])
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Self, TypedDict, Unpack
from uuid import uuid4

import msgspec

from shared.decoding import convert
from shared.errors import BrokerUnavailable, ForebayError
from shared.messages.lane import TIER_OF_LANE, Lane
from shared.messages.requests.intake_message import IntakeMessage
from shared.queueing.answers.reply_box import ReplyBox
from shared.queueing.documents_message import (
    DocumentFields,
    build_documents,
    documents_answer,
    documents_parcel,
)
from shared.queueing.parcel import Parcel
from shared.queueing.sender import Sender
from shared.queueing.topology import QueueName
from shared.settings.secret import Secret, ServerUrl
from shared.settings.server_faults import TlsSettings
from shared.settings.servers import BrokerSettings

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
        self._sender.send([_parcel(message)])
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
        return _response(self._answer(_parcel(message), timeout_seconds))

    def post_documents(self, collection: str, documents: Sequence[DocumentFields]) -> None:
        """Posts documents for a collection in one message; the fields of each are those of POST
        /v1/documents. Returns when the broker has it; posting them again is harmless."""
        self._sender.send([documents_parcel(build_documents(collection, documents))])

    def put_documents(
        self, collection: str, documents: Sequence[DocumentFields], *, timeout_seconds: float = 60.0
    ) -> list[dict[str, Any]]:
        """The same, and waits until they are in the ledger: gives them as the API shows them.

        Raises AnswerTimeout, or MessageRefused.
        """
        parcel = documents_parcel(build_documents(collection, documents), is_answered=True)
        put = documents_answer(self._answer(parcel, timeout_seconds))
        if isinstance(put, tuple):
            raise MessageRefused(*put)
        return put

    def _answer(self, parcel: Parcel, timeout_seconds: float) -> bytes:
        deadline = time.monotonic() + timeout_seconds
        self._replies.open()
        self._sender.send([parcel], reply_to=self._replies.name)
        while (left := deadline - time.monotonic()) > 0:
            answer = self._replies.wait(parcel.identifier, left)
            if answer is not None:
                return answer
        raise AnswerTimeout(f"No answer came within {timeout_seconds:g} s.")

    def _post_group(
        self, group: list[IntakeMessage], safe: int, on_progress: Callable[[int], None]
    ) -> int:
        self._sender.send([_parcel(each) for each in group])
        on_progress(safe + len(group))
        return safe + len(group)


def build_message(text: Input, **options: Unpack[MessageOptions]) -> IntakeMessage:
    """A message in the form of the `intake` queue; raises InvalidRequest naming the field."""
    fields: dict[str, Any] = {"idempotency_key": uuid4().hex, **options, "input": text}
    lane = fields.pop("lane", None)
    if lane is not None:
        fields["service_tier"] = TIER_OF_LANE[Lane(lane)]
    return convert(fields, IntakeMessage)


def _parcel(message: IntakeMessage) -> Parcel:
    fields = msgspec.structs.asdict(message)
    return Parcel(
        queue=QueueName.INTAKE.value,
        body=msgspec.json.encode({k: v for k, v in fields.items() if v is not None}),
        identifier=message.idempotency_key or uuid4().hex,
    )


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
