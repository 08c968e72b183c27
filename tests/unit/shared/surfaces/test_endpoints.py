"""One entry reads the requests of every endpoint, and tells the answers as each of them does."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from shared.errors import InvalidRequest, TooLarge
from shared.messages.body import encode_body
from shared.messages.item import ReasoningItem
from shared.messages.output import encode_items
from shared.messages.record import MessageRecord, Surface
from shared.messages.state import ResponseState
from shared.surfaces.endpoints import ENDPOINTS, answer_object, decode_request, surface_of
from shared.surfaces.failed_turn import TurnFailed
from tests.queued_message import ACCEPTED_AT, queued_message

RESPONSES, CHAT, MESSAGES = ENDPOINTS
SAID: dict[str, dict[str, Any]] = {
    RESPONSES: {"input": [{"role": "user", "content": "Hi"}]},
    CHAT: {"messages": [{"role": "user", "content": "Hi"}]},
    MESSAGES: {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 9},
}


def raw(endpoint: str, **fields: Any) -> bytes:
    return json.dumps(SAID[endpoint] | fields).encode()


def ended(endpoint: str, request: bytes, **fields: Any) -> MessageRecord:
    usual: dict[str, Any] = {
        "state": ResponseState.COMPLETED,
        "finished_at": ACCEPTED_AT + timedelta(seconds=1),
        "output_text": "Hello.",
        "model": "m",
        "input_tokens": 3,
        "output_tokens": 2,
    }
    body = encode_body(decode_request(endpoint, request)).decode()
    return queued_message(body=body, surface=surface_of(endpoint), **(usual | fields))


def told(endpoint: str, record: MessageRecord) -> dict[str, Any]:
    encoded = msgspec.json.encode(answer_object(endpoint, record))
    answer: dict[str, Any] = msgspec.json.decode(encoded)
    return answer


def test_each_endpoint_has_its_surface() -> None:
    assert [surface_of(endpoint) for endpoint in ENDPOINTS] == [
        Surface.RESPONSES,
        Surface.CHAT,
        Surface.MESSAGES,
    ]


@pytest.mark.parametrize("endpoint", ["/v1/embeddings", "", "/v1/responses/", "x" * 9_000])
def test_an_endpoint_that_takes_no_message_is_refused_by_its_name(endpoint: str) -> None:
    for ask in (surface_of, lambda there: decode_request(there, b"{}")):
        with pytest.raises(InvalidRequest, match="/v1/chat/completions") as raised:
            ask(endpoint)
        assert raised.value.param == "endpoint"
        assert len(raised.value.message) < 400


def test_the_same_said_to_each_is_one_body() -> None:
    asked = {endpoint: raw(endpoint) for endpoint in (RESPONSES, CHAT)}
    first, second = (decode_request(*each) for each in asked.items())
    assert encode_body(first) == encode_body(second)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_what_is_wrong_is_named_by_its_field(endpoint: str) -> None:
    said = "input" if endpoint == RESPONSES else "messages"
    for written, param in (
        (raw(endpoint, temperature="hot"), "temperature"),
        (raw(endpoint, **{said: [{"role": "user", "content": 3}]}), f"{said}[0].content"),
        (raw(endpoint, stream=True), "stream"),
        (raw(endpoint, nonsense=1), "nonsense"),
    ):
        with pytest.raises(InvalidRequest) as raised:
            decode_request(endpoint, written)
        assert raised.value.param == param
    with pytest.raises(InvalidRequest, match="not valid JSON"):
        decode_request(endpoint, b'{"model": "m"')
    with pytest.raises(TooLarge):
        decode_request(endpoint, raw(endpoint), text_limit_bytes=5)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input"),
    ],
)
def test_what_continues_something_else_is_no_request_by_itself(
    fields: dict[str, Any], param: str
) -> None:
    with pytest.raises(InvalidRequest, match=r"[Rr]emove it\.") as raised:
        decode_request(RESPONSES, raw(RESPONSES, **fields))
    assert raised.value.param == param


def test_an_answer_has_the_shape_of_its_endpoint() -> None:
    response, completion, message = (
        told(endpoint, ended(endpoint, raw(endpoint))) for endpoint in ENDPOINTS
    )
    assert response["object"] == "response"
    assert response["output"][0]["content"][0]["text"] == "Hello."
    assert completion["object"] == "chat.completion"
    assert completion["choices"][0]["message"]["content"] == "Hello."
    assert completion["usage"]["total_tokens"] == 5
    assert message["type"] == "message"
    assert message["content"] == [{"type": "text", "text": "Hello."}]


@pytest.mark.parametrize("thinking", [True, False])
def test_a_message_has_the_thoughts_that_it_asked_for(thinking: bool) -> None:
    thought = ReasoningItem(
        summary=({"type": "summary_text", "text": "Hm."},), encrypted_content="s"
    )
    asked: dict[str, Any] = {"type": "enabled", "budget_tokens": 2_000}
    request = raw(MESSAGES, **({"thinking": asked} if thinking else {}))
    record = ended(MESSAGES, request, output_items=encode_items([thought]))
    kinds = [block["type"] for block in told(MESSAGES, record)["content"]]
    assert kinds == (["thinking", "text"] if thinking else ["text"])


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    ("fields", "status", "kind"),
    [
        ({"state": ResponseState.CANCELLED}, 409, "response_cancelled"),
        ({"state": ResponseState.FAILED, "error_code": "invalid_prompt"}, 400, "invalid_prompt"),
        ({"state": ResponseState.FAILED, "error_code": "no_provider"}, 502, "no_provider"),
        ({"state": ResponseState.FAILED}, 502, "server_error"),
    ],
)
def test_a_turn_without_an_answer_is_an_error_on_each(
    endpoint: str, fields: dict[str, Any], status: int, kind: str
) -> None:
    record = ended(endpoint, raw(endpoint), output_text=None, **fields)
    with pytest.raises(TurnFailed, match=record.id) as raised:
        answer_object(endpoint, record)
    assert (raised.value.status, raised.value.kind) == (status, kind)
