"""A model behind HTTP: one request posted, its answer read in whichever way it comes."""

from __future__ import annotations

from typing import Final

from workers.providers.error_class import ErrorClass
from workers.providers.failures import ProviderError, TransientProviderError
from workers.providers.outcome import Answer, Oddity
from workers.providers.provider import Prompt, TextSink
from workers.providers.wire.answer_body import AnswerBody
from workers.providers.wire.exchange import ProviderExchange
from workers.providers.wire.incoming_answer import IncomingAnswer
from workers.providers.wire.loose_json import UnreadableError, decoded, elements, is_markup, mapping
from workers.providers.wire.reading import END, NOTHING, EventReading, WireFormat
from workers.providers.wire.refusals.refusal import ProviderRefusal, failure_for, tells_failure
from workers.providers.wire.server_sent_events import ServerSentEvent

_END_MARK: Final = "[DONE]"
_ERROR_EVENT: Final = "error"
_NO_MORE_CAME: Final = frozenset(
    {ErrorClass.TIMEOUT, ErrorClass.CUT_STREAM, ErrorClass.MALFORMED_ANSWER}
)
"""Costs nothing but figures once the model has said why it stopped."""


class HttpModel:
    """Posts over `exchange` and reads what comes by `wire_format`.

    The body asks for a stream, whoever waits for the answer: a server notices at the next token
    that the caller of a stream has left, and may write for the caller of a whole answer to its end.
    Whatever the bytes and the status, `answer` returns an Answer or raises a ProviderError.
    """

    def __init__(
        self, exchange: ProviderExchange, wire_format: WireFormat, *, provider: str
    ) -> None:
        self._exchange = exchange
        self._wire_format = wire_format
        self._provider = provider

    async def answer(
        self,
        prompt: Prompt,
        body: bytes,
        *,
        asked_model: str,
        time_left_seconds: float,
        on_delta: TextSink | None,
    ) -> Answer:
        """The answer to a request's body, which asks for a stream."""
        incoming = IncomingAnswer(prompt, provider=self._provider, asked_model=asked_model)
        try:
            async with self._exchange.open(body, time_left_seconds=time_left_seconds) as sent:
                await self._take(sent, incoming, on_delta)
        except ProviderError as error:
            if error.error_class not in _NO_MORE_CAME or not incoming.is_finished:
                incoming.note_on(error)
                raise
        return incoming.answer()

    async def _take(
        self, body: AnswerBody, incoming: IncomingAnswer, on_delta: TextSink | None
    ) -> None:
        is_stream = await body.is_stream()
        if is_stream:
            await self._take_stream(body, incoming, on_delta)
        else:
            incoming.oddities.add(Oddity.NO_STREAM)
            incoming.take(self._whole(await body.whole()))
            await incoming.pass_on(on_delta)
        incoming.end(is_whole_body=not is_stream)

    async def _take_stream(
        self, body: AnswerBody, incoming: IncomingAnswer, on_delta: TextSink | None
    ) -> None:
        while not incoming.has_ended and (events := await body.next_events()) is not None:
            was_finished, is_progress = incoming.is_finished, False
            try:
                for event in events:
                    reading = self._usual(event) or self._reading_of(event, incoming)
                    incoming.take(reading)
                    is_progress |= reading.is_progress
                    if reading.ends:
                        break
            finally:
                # Also what came before an event that ends it all has been heard, and is paid for.
                await incoming.pass_on(on_delta)
            # Some servers name a reason to stop with every piece: only silence shows the last.
            if is_progress and (was_finished or not incoming.is_finished):
                body.hear_token()
            elif incoming.is_finished:
                body.hear_last_token()

    def _usual(self, event: ServerSentEvent) -> EventReading | None:
        return None if event.name == _ERROR_EVENT else self._wire_format.read_usual(event.data)

    def _reading_of(self, event: ServerSentEvent, incoming: IncomingAnswer) -> EventReading:
        data = event.data.strip()
        if event.name == _ERROR_EVENT:
            raise self._failure(ProviderRefusal.from_body(data.encode()))
        if data == _END_MARK:
            return END
        if not data:
            return NOTHING
        try:
            content = decoded(data)
        except UnreadableError:
            content = None
        fields = mapping(content)
        if tells_failure(fields):
            raise self._failure(ProviderRefusal.from_content(content))
        reading = self._wire_format.read_event(fields)
        if reading is None:
            if not event.is_cut:
                incoming.oddities.add(Oddity.UNREADABLE_CHUNK)
            return NOTHING
        return reading

    def _whole(self, content: bytes) -> EventReading:
        if is_markup(content):
            raise ProviderError(
                f"{self._provider} answered with a page of markup: no API is at this address",
                error_class=ErrorClass.MISCONFIGURED,
            )
        try:
            body = decoded(content)
        except UnreadableError as error:
            raise self._malformed(error.message) from error
        if tells_failure(mapping(next(iter(elements(body)), body))):
            raise self._failure(ProviderRefusal.from_content(body))
        reading = self._wire_format.read_whole(mapping(body))
        if reading is None:
            raise self._malformed("it holds no answer")
        return reading

    def _failure(self, refusal: ProviderRefusal) -> ProviderError:
        return failure_for(refusal, provider=self._provider)

    def _malformed(self, what: str) -> ProviderError:
        return TransientProviderError(
            f"{self._provider} sent an answer that cannot be read: {what}",
            error_class=ErrorClass.MALFORMED_ANSWER,
        )
