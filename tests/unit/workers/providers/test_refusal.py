"""What the error bodies of real servers mean."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.providers.error_class import ErrorClass
from workers.providers.wire.refusals.refusal import ProviderRefusal, failure_for
from workers.providers.wire.refusals.retry_after import retry_after

VLLM_TOO_LONG = (
    b'{"object":"error","message":"This model\'s maximum context length is 4096 tokens. However, '
    b'you requested 5000 tokens.","type":"BadRequestError","param":null,"code":400}'
)
OPENAI_TOO_LONG = (
    b'{"error":{"message":"too many","type":"invalid_request_error","param":"messages",'
    b'"code":"context_length_exceeded"}}'
)
LLAMA_TOO_LONG = (
    b'{"error":{"code":400,"message":"the request exceeds the available context size",'
    b'"type":"exceed_context_size_error","n_prompt_tokens":9000,"n_ctx":4096}}'
)
ANTHROPIC_TOO_LONG = (
    b'{"type":"error","error":{"type":"invalid_request_error",'
    b'"message":"prompt is too long: 208310 tokens > 200000 maximum"}}'
)


@pytest.mark.parametrize(
    ("status", "body", "error_class"),
    [
        (400, VLLM_TOO_LONG, ErrorClass.CONTEXT_TOO_LONG),
        (400, OPENAI_TOO_LONG, ErrorClass.CONTEXT_TOO_LONG),
        (400, LLAMA_TOO_LONG, ErrorClass.CONTEXT_TOO_LONG),
        (400, ANTHROPIC_TOO_LONG, ErrorClass.CONTEXT_TOO_LONG),
        (400, b"{}", ErrorClass.INVALID_REQUEST),
        (404, b'{"error":"model \\"x\\" not found"}', ErrorClass.MISCONFIGURED),
        (422, b'{"detail":[{"loc":["body"]}]}', ErrorClass.INVALID_REQUEST),
        (401, b"", ErrorClass.UNAUTHORISED),
        (402, b"", ErrorClass.UNAUTHORISED),
        (403, b"<html>no</html>", ErrorClass.UNAUTHORISED),
        (429, b"", ErrorClass.RATE_LIMITED),
        (429, b'{"error":{"code":"insufficient_quota"}}', ErrorClass.UNAUTHORISED),
        (408, b"", ErrorClass.SERVER_ERROR),
        (302, b"", ErrorClass.MISCONFIGURED),
        (500, VLLM_TOO_LONG, ErrorClass.CONTEXT_TOO_LONG),
        (503, b"\xff\xfe", ErrorClass.SERVER_ERROR),
        (529, b'{"error":{"type":"overloaded_error"}}', ErrorClass.SERVER_ERROR),
    ],
)
def test_each_answer_has_its_class(status: int, body: bytes, error_class: ErrorClass) -> None:
    error = failure_for(ProviderRefusal.from_body(body), provider="p", status=status)

    assert error.error_class is error_class
    assert error.status == status


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"error":{"message":"no"}}', "no"),
        (b'{"error":"no"}', "no"),
        (b'{"message":"no"}', "no"),
        (b'{"detail":"no"}', "no"),
        (b"no", "no"),
        (b'"no"', "no"),
    ],
)
def test_the_message_is_found_in_every_usual_shape(body: bytes, message: str) -> None:
    assert ProviderRefusal.from_body(body).message == message


@given(st.binary(max_size=200))
def test_no_body_breaks_the_reading(body: bytes) -> None:
    assert len(ProviderRefusal.from_body(body).message) <= 501


@given(
    st.recursive(
        st.none() | st.text() | st.integers(),
        lambda v: (
            st.dictionaries(st.sampled_from(["error", "message", "type", "code", "detail"]), v)
            | st.lists(v)
        ),
    )
)
def test_no_json_breaks_the_reading(content: object) -> None:
    status = ProviderRefusal.from_content(content).status

    assert status is None or 400 <= status < 600


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        ("0.25", 0.25),
        ("-3", 0.0),
        ("Thu, 01 Jan 2026 00:00:30 GMT", 30.0),
        ("Wed, 31 Dec 2025 23:00:00 GMT", 0.0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("", None),
    ],
)
def test_retry_after_is_read_in_both_forms(text: str, seconds: float | None) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)

    assert retry_after({"Retry-After": text}, now=now) == seconds


def test_no_retry_after_is_none() -> None:
    assert retry_after({}) is None
