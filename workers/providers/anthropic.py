"""Anthropic's messages, spoken over plain HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import msgspec

from workers.providers.error_class import ErrorClass
from workers.providers.failures import (
    TransientProviderError,
)
from workers.providers.outcome import Answer, Declined
from workers.providers.provider import Prompt, TextSink
from workers.providers.wire.answer_text import AnswerText, cut_short, finished_answer, tool_called
from workers.providers.wire.anthropic_messages import (
    StreamEvent,
    WireMessage,
    WireUsage,
    finish_reason,
)
from workers.providers.wire.anthropic_request import cannot_promise, request_body
from workers.providers.wire.exchange import Exchange
from workers.providers.wire.model_choice import ModelChoice
from workers.providers.wire.refusal import Refusal, failure_for
from workers.providers.wire.server_sent_events import ServerSentEvent
from workers.providers.wire.timeouts import CallClock, Timeouts

API_VERSION = "2023-06-01"
DEFAULT_OUTPUT_TOKENS = 4096


class AnthropicProvider:
    """Calls `{base_url}/v1/messages` over a shared session; the session stays open.

    A `base_url` that ends in `/v1` already is taken as it is. The wire format demands a limit on
    the answer: `default_output_tokens` is sent when the prompt names none.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        name: str,
        base_url: str,
        models: ModelChoice,
        api_key: str | None = None,
        timeouts: Timeouts | None = None,
        default_output_tokens: int = DEFAULT_OUTPUT_TOKENS,
    ) -> None:
        self.name = name
        self._models = models
        self._default_output_tokens = default_output_tokens
        key = {"x-api-key": api_key} if api_key else {}
        self._exchange = Exchange(
            session,
            provider=name,
            url=f"{base_url.rstrip('/').removesuffix('/v1')}/v1/messages",
            headers={"anthropic-version": API_VERSION, **key},
            timeouts=timeouts or Timeouts(),
        )
        self._message_decoder = msgspec.json.Decoder(WireMessage)
        self._event_decoder = msgspec.json.Decoder(StreamEvent)

    def model_for(self, requested: str) -> str:
        return self._models.model_for(requested)

    async def answer(
        self, prompt: Prompt, *, time_left_seconds: float, on_delta: TextSink | None = None
    ) -> Answer | Declined:
        reason = cannot_promise(prompt)
        if reason is not None:
            return Declined(reason=reason)
        body = request_body(
            prompt,
            model=self.model_for(prompt.model),
            default_output_tokens=self._default_output_tokens,
            streamed=on_delta is not None,
        )
        if on_delta is None:
            content = await self._exchange.fetch(body, time_left_seconds=time_left_seconds)
            return self._whole_answer(prompt, content)
        async with self._exchange.stream(body, time_left_seconds=time_left_seconds) as opened:
            events, clock = opened
            return await self._streamed_answer(prompt, events, AnswerText(on_delta, clock), clock)

    async def close(self) -> None:
        """Nothing to release: the session belongs to whoever opened it."""

    def _whole_answer(self, prompt: Prompt, content: bytes) -> Answer:
        try:
            message = self._message_decoder.decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self._malformed(error, after_first_token=False) from error
        return self._finished(prompt, message.text, head=message, usage=message.usage)

    async def _streamed_answer(
        self,
        prompt: Prompt,
        events: AsyncIterator[ServerSentEvent],
        text: AnswerText,
        clock: CallClock,
    ) -> Answer:
        head, usage = WireMessage(content=[]), WireUsage()
        async for sent in events:
            event = self._decode(sent, clock)
            if event.message is not None:
                head = event.message
                usage = usage.updated_by(head.usage)
            elif event.type == "content_block_delta" and event.delta is not None:
                await text.add(event.delta.text)
            elif event.type == "message_delta":
                head.stop_reason = event.delta.stop_reason if event.delta else None
                usage = usage.updated_by(event.usage)
            elif event.type == "message_stop":
                return self._finished(prompt, str(text), head=head, usage=usage)
        raise cut_short(self.name, "the stream ended early", after_first_token=clock.heard_token)

    def _decode(self, sent: ServerSentEvent, clock: CallClock) -> StreamEvent:
        try:
            event = self._event_decoder.decode(sent.data)
        except (msgspec.DecodeError, RecursionError) as error:
            raise self._malformed(error, after_first_token=clock.heard_token) from error
        if event.reports_error:
            refusal = Refusal.from_body(bytes(event.error))
            raise failure_for(
                refusal,
                provider=self.name,
                status=refusal.status,
                after_first_token=clock.heard_token,
            )
        return event

    def _finished(
        self, prompt: Prompt, text: str, *, head: WireMessage, usage: WireUsage
    ) -> Answer:
        if head.stop_reason == "tool_use" and not text:
            raise tool_called(self.name)
        return finished_answer(
            prompt,
            text,
            provider=self.name,
            model=head.model or self.model_for(prompt.model),
            finish=finish_reason(head.stop_reason),
            usage=usage.usage(),
        )

    def _malformed(self, what: object, *, after_first_token: bool) -> TransientProviderError:
        return TransientProviderError(
            f"{self.name} sent an answer that cannot be read: {what}",
            error_class=ErrorClass.MALFORMED_ANSWER,
            after_first_token=after_first_token,
        )
