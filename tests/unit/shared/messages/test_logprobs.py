"""How a response asks how likely its tokens were."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.errors import InvalidRequest
from shared.messages.requests.create_response import decode_create_response


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({}, None),
        ({"top_logprobs": 0}, None),
        ({"top_logprobs": 3}, 3),
        ({"include": ["message.output_text.logprobs"]}, 0),
        ({"include": ["message.output_text.logprobs"], "top_logprobs": 20}, 20),
    ],
)
def test_log_probabilities_are_asked_for_by_either_field(
    fields: dict[str, Any], wanted: int | None
) -> None:
    body = decode_create_response(json.dumps({"input": "Hi", **fields}).encode())
    assert body.top_logprobs == wanted


def test_more_likely_tokens_than_models_tell_are_refused() -> None:
    with pytest.raises(InvalidRequest) as refused:
        decode_create_response(b'{"input":"Hi","top_logprobs":21}')
    assert refused.value.param == "top_logprobs"
