"""What providers say in words and codes, and what they mean by it."""

from __future__ import annotations

import json

import pytest

from workers.providers.error_class import ErrorClass
from workers.providers.failures import UnknownFieldError
from workers.providers.wire.refusals.refusal import ProviderRefusal, failure_for

TOO_LONG = [
    (400, "The input (8000 tokens) is longer than the model's context length (4096 tokens)."),
    (400, "Requested token count exceeds the model's maximum context length of 4096 tokens."),
    (400, "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000"),
    (
        400,
        "The input token count (1048577) exceeds the maximum number of tokens allowed.",
    ),
    (400, "Invalid request: Your request exceeded model token limit: 8192"),
    (400, "Your input exceeds the context window of this model. Please adjust your input."),
    (400, "Input tokens exceed the configured limit of 272000 tokens."),
    (500, "context size has been exceeded"),
    (500, "the request exceeds the available context size"),
    (422, "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096."),
    (400, "Prompt contains 40000 tokens, too large for model with 32768 maximum context length"),
    (400, "litellm.ContextWindowExceededError: litellm.BadRequestError: OpenAIException"),
    (400, "Please reduce the length of the messages or completion."),
    (413, "Payload Too Large"),
]
UNAUTHORISED = [
    (400, "Your credit balance is too low to access the Anthropic API."),
    (429, "Your account org-1 is suspended, please check your plan and billing details"),
    (403, "Insufficient account balance"),
    (400, "API key not valid. Please pass a valid API key."),
    (400, "litellm.AuthenticationError: Incorrect API key provided"),
]
MISCONFIGURED = [
    (404, "The model `x` does not exist or you do not have access to it."),
    (400, "The model `mixtral` has been decommissioned and is no longer supported."),
    (400, "/chat/completions: Invalid model name passed in model=x."),
    (400, "LLM Provider NOT provided. Pass in the LLM provider you are trying to call."),
    (404, "No endpoints found for x."),
    (404, ""),
    (405, "Method Not Allowed"),
    (307, ""),
    (501, "Unsupported method ('POST')"),
    (400, "<html><body>Bad Request</body></html>"),
]
BUSY = [
    (413, "Request too large for model `x` on tokens per minute (TPM): Limit 6000, Requested 9000"),
    (429, "Request too large for x on tokens per min (TPM): Limit 30000, Requested 50000."),
    (498, ""),
    (499, ""),
    (424, "no healthy upstream"),
]
FILTERED = [
    (
        400,
        "Filtered due to the prompt triggering the content management policy.",
    ),
    (403, "Your chosen model requires moderation and your input was flagged for 'violence'."),
    (400, "Your request was rejected as a result of our safety system."),
]
UNKNOWN_FIELD = [
    (400, "Unknown parameter: 'stream_options'."),
    (422, "Extra inputs are not permitted"),
    (400, "property 'stream_options' is unsupported"),
    (400, '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive"'),
    (400, "Additional properties are not allowed ('stream_options' was unexpected)"),
]
INVALID = [
    (400, "'temperature' must be <= 2"),
    (400, "max_tokens is too large: 5000. This model supports at most 4096 completion tokens"),
    (400, "Invalid schema for response_format 'x': 'additionalProperties' is required."),
    (400, "conversation roles must alternate user/assistant"),
    (404, "No endpoints found that can handle the requested parameters."),
    (404, 'No endpoints found that support tool use. Try disabling "weather".'),
    (404, "No endpoints found that support image input"),
    (422, ""),
]
BY_CLASS = {
    ErrorClass.CONTEXT_TOO_LONG: TOO_LONG,
    ErrorClass.UNAUTHORISED: UNAUTHORISED,
    ErrorClass.MISCONFIGURED: MISCONFIGURED,
    ErrorClass.BUSY: BUSY,
    ErrorClass.FILTERED: FILTERED,
    ErrorClass.UNKNOWN_FIELD: UNKNOWN_FIELD,
    ErrorClass.INVALID_REQUEST: INVALID,
}


@pytest.mark.parametrize(
    ("error_class", "status", "words"),
    [(meant, status, words) for meant, said in BY_CLASS.items() for status, words in said],
)
def test_words_have_their_meaning_in_every_shape_of_body(
    error_class: ErrorClass, status: int, words: str
) -> None:
    shapes = [
        words.encode(),
        json.dumps({"error": words}).encode(),
        json.dumps({"error": {"message": words, "type": None, "code": str(status)}}).encode(),
        json.dumps({"detail": [{"msg": words, "loc": ["body"]}]}).encode(),
        json.dumps([{"error": {"message": words, "code": status}}]).encode(),
    ]
    if words.startswith("<"):
        shapes = shapes[:1]
    for body in shapes:
        error = failure_for(ProviderRefusal.from_body(body), provider="p", status=status)
        assert error.error_class is error_class
        assert "<html" not in error.message


CODES = {
    "context_length_exceeded": ErrorClass.CONTEXT_TOO_LONG,
    "exceed_context_size_error": ErrorClass.CONTEXT_TOO_LONG,
    "insufficient_quota": ErrorClass.UNAUTHORISED,
    "invalid_api_key": ErrorClass.UNAUTHORISED,
    "model_not_found": ErrorClass.MISCONFIGURED,
    "content_filter": ErrorClass.FILTERED,
    "unknown_parameter": ErrorClass.UNKNOWN_FIELD,
    "rate_limit_exceeded": ErrorClass.BUSY,
}


@pytest.mark.parametrize("key", ["code", "type"])
@pytest.mark.parametrize(("code", "error_class"), CODES.items())
def test_codes_have_their_meaning_without_words(
    key: str, code: str, error_class: ErrorClass
) -> None:
    refusal = ProviderRefusal.from_content({"error": {key: code.upper(), "message": "no"}})

    assert failure_for(refusal, provider="p", status=400).error_class is error_class


@pytest.mark.parametrize(
    "content",
    [
        {"error": {"message": "Unknown parameter", "param": "stream_options"}},
        {"detail": [{"loc": ["body", "stream_options"], "msg": "Extra inputs are not permitted"}]},
        {"message": {"detail": [{"loc": ["body", "stream_options"], "type": "extra_forbidden"}]}},
    ],
)
def test_a_refused_field_is_named(content: object) -> None:
    error = failure_for(ProviderRefusal.from_content(content), provider="p", status=422)

    assert isinstance(error, UnknownFieldError)
    assert error.field == "stream_options"


@pytest.mark.parametrize(
    ("content", "seconds"),
    [
        ({"error": {"details": [{"@type": "RetryInfo", "retryDelay": "34.07s"}]}}, 34.07),
        ({"error": {"message": "Please try again in 6m0.5s."}}, 360.5),
        ({"error": {"message": "Please try again in 20ms."}}, 0.02),
        ({"error": {"message": "Try again after 2 minutes"}}, 120.0),
        ({"error": {"message": "retry after 7 seconds"}}, 7.0),
        ({"error": {"retry_after": 3}}, 3.0),
        ({"error": {"retry_after_ms": "250"}}, 0.25),
        ({"error": {"retry_after": 1e12}}, 86_400.0),
        ({"error": {"retry_after": "soon"}}, None),
        ({"error": {"message": "slow down"}}, None),
    ],
)
def test_a_wait_is_read_from_fields_and_sentences(content: object, seconds: float | None) -> None:
    error = failure_for(ProviderRefusal.from_content(content), provider="p", status=429)

    assert error.retry_after_seconds == pytest.approx(seconds)


def test_what_a_server_counted_is_kept() -> None:
    error = {"type": "exceed_context_size_error", "n_prompt_tokens": 9000, "n_ctx": 4096}
    refusal = ProviderRefusal.from_content({"error": error})

    assert (refusal.window_tokens, refusal.prompt_tokens) == (4096, 9000)


def test_a_deeply_nested_error_is_read_without_a_fault() -> None:
    for piece in (b'{"error":', b"[", b'{"message":'):
        refusal = ProviderRefusal.from_body(piece * 50_000)
        assert failure_for(refusal, provider="p", status=500).error_class is ErrorClass.SERVER_ERROR
