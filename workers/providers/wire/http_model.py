"""A model behind HTTP: where it is, one request posted, its answer read however it comes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

import msgspec
from yarl import URL

from shared.errors import SettingsError
from shared.settings.providers import ProviderSettings
from workers.providers.error_class import ErrorClass
from workers.providers.failures import ProviderError, TransientProviderError, UnknownFieldError
from workers.providers.outcome import Answer, Declined, Oddity
from workers.providers.provider import ModelChoice, Prompt, Sink
from workers.providers.wire.exchange import AnswerBody, ProviderExchange
from workers.providers.wire.http.connections import ProviderConnections
from workers.providers.wire.incoming_answer import IncomingAnswer
from workers.providers.wire.loose_json import (
    UnreadableError,
    decoded,
    elements,
    is_markup,
    mapping,
    tells_failure,
)
from workers.providers.wire.reading import END, NOTHING, EventReading, WireFormat
from workers.providers.wire.refusals.refusal import ProviderRefusal, failure_for
from workers.providers.wire.server_sent_events import ServerSentEvent
from workers.providers.wire.timeouts import Timeouts

_SCHEMES: Final = frozenset({"http", "https"})
_END_MARK: Final = "[DONE]"
_ERROR_EVENT: Final = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpApi:
    """How one API is asked over HTTP, besides its words: all that differs between two of them."""

    wire: Callable[[ProviderSettings], WireFormat]
    path: str
    """Behind base URL and `root`; `{model}` and `{api_version}` stand for what the settings name.
    """
    root: str = ""
    """The first part of the path, which a base URL may end in already."""
    key_header: str = "Authorization"
    key_prefix: str = "Bearer "
    headers: Mapping[str, str] = field(default_factory=dict)
    """Those of every call; a provider's own go before them."""

    def build(
        self,
        settings: ProviderSettings,
        connections: ProviderConnections,
        *,
        timeouts: Timeouts | None = None,
    ) -> HttpModel:
        """A provider of this API; raises `SettingsError` that names what it lacks.

        Its timeouts are those of the settings where none are given.
        """
        return HttpModel(self, settings, connections, timeouts=timeouts or Timeouts.of(settings))

    def url(self, settings: ProviderSettings, model: str) -> URL:
        """Where the model is asked; raises `SettingsError` where that is no address."""
        path = self.path.replace("{model}", quote(model, safe=""))
        path = path.replace("{api_version}", quote(settings.api_version, safe=""))
        base = settings.required("base_url").rstrip("/")
        try:
            url = URL(base.removesuffix(self.root) + self.root + path)
            if url.scheme not in _SCHEMES or not url.host:
                raise ValueError("it names no server")
            return url
        except ValueError as error:
            fault = f"providers: '{settings.name}' has base_url = {base!r}: {error}. Mend it."
            raise SettingsError([fault]) from error

    def headers_of(self, settings: ProviderSettings) -> dict[str, str]:
        """What every call carries, its key too."""
        key = {}
        if settings.api_key:
            key[self.key_header] = f"{self.key_prefix}{settings.api_key.reveal()}"
        return {**self.headers, **key, **settings.own_headers}


class HttpModel:
    """Asks one API by its wire format, over connections that stay open.

    The body asks for a stream, whoever waits for the answer: a server notices at the next token
    that the caller of a stream has left, and may write for the caller of a whole answer to its end.
    Whatever the bytes and the status, `answer` returns an outcome or raises a ProviderError.
    """

    def __init__(
        self,
        api: HttpApi,
        settings: ProviderSettings,
        connections: ProviderConnections,
        *,
        timeouts: Timeouts,
    ) -> None:
        if not settings.named_models:
            settings.required("model")
        self.name = settings.name
        self._models = ModelChoice.of(settings)
        headers = api.headers_of(settings)
        self._targets = {
            model: connections.target(api.url(settings, model), headers)
            for model in settings.named_models
        }
        self._wire = api.wire(settings)
        self._exchange = ProviderExchange(connections, provider=self.name, timeouts=timeouts)

    def model_for(self, requested: str) -> str:
        return self._models.model_for(requested)

    async def answer(
        self, prompt: Prompt, *, time_left_seconds: float, on_delta: Sink | None = None
    ) -> Answer | Declined:
        model = self._models.model_for(prompt.model)
        content = self._wire.request_body(prompt, model)
        if isinstance(content, Declined):
            return content
        maker = self._wire.maker(model)
        incoming = IncomingAnswer(prompt, provider=self.name, asked_model=model, maker=maker)
        request = msgspec.json.encode(content)
        try:
            sent = await self._exchange.send(
                self._targets[model], request, time_left_seconds=time_left_seconds
            )
            try:
                await self._take(sent, incoming, on_delta)
                sent.leave(is_read=True)
            finally:
                sent.leave()
        except ProviderError as error:
            if isinstance(error, UnknownFieldError):
                error.is_mended = self._wire.leave_out(error, model, sent=content)
            if not error.error_class.is_mere_end or not incoming.is_finished:
                incoming.note_on(error)
                raise
        return incoming.answer(dropped=self._wire.dropped(prompt, model))

    async def close(self) -> None:
        """Nothing to release: the connections belong to whoever opened them."""

    async def _take(
        self, body: AnswerBody, incoming: IncomingAnswer, on_delta: Sink | None
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
        self, body: AnswerBody, incoming: IncomingAnswer, on_delta: Sink | None
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
                body.clock.hear_token()
            elif incoming.is_finished:
                body.clock.hear_last_token()

    def _usual(self, event: ServerSentEvent) -> EventReading | None:
        return None if event.name == _ERROR_EVENT else self._wire.read_usual(event.data)

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
        reading = self._wire.read_event(fields)
        if reading is None:
            if not event.is_cut:
                incoming.oddities.add(Oddity.UNREADABLE_CHUNK)
            return NOTHING
        return reading

    def _whole(self, content: bytes) -> EventReading:
        if is_markup(content):
            raise ProviderError(
                f"{self.name} answered with a page of markup: no API is at this address",
                error_class=ErrorClass.MISCONFIGURED,
            )
        try:
            body = decoded(content)
        except UnreadableError as error:
            raise self._malformed(error.message) from error
        return self._reading(body)

    def _reading(self, body: object) -> EventReading:
        if tells_failure(mapping(next(iter(elements(body)), body))):
            raise self._failure(ProviderRefusal.from_content(body))
        reading = self._wire.read_whole(mapping(body))
        if reading is None:
            raise self._malformed("it holds no answer")
        return reading

    def _failure(self, refusal: ProviderRefusal) -> ProviderError:
        return failure_for(refusal, provider=self.name)

    def _malformed(self, what: str) -> ProviderError:
        return TransientProviderError(
            f"{self.name} sent an answer that cannot be read: {what}",
            error_class=ErrorClass.MALFORMED_ANSWER,
        )
