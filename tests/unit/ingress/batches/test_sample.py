"""The beginning of a batch tells how much all of it is."""

from __future__ import annotations

import json

import pytest

from ingress.api.batches.sample import sample_of


def line(text: str = "Hi", **body: object) -> bytes:
    written = {"body": {"model": "m", "messages": [{"role": "user", "content": text}], **body}}
    return json.dumps(written).encode() + b"\n"


def test_a_batch_that_is_all_there_is_counted() -> None:
    content = line() * 3 + b"\n \r\n" + line()
    sample = sample_of(content, len(content))
    assert (sample.lines, sample.scale) == (4, 1)
    assert {model for model, _ in sample.requests} == {"m"}


def test_of_a_larger_one_the_rest_is_taken_to_be_like_the_beginning() -> None:
    content = line() * 1_000
    sample = sample_of(content[: len(content) // 10 + 7], len(content))
    assert sample.lines == pytest.approx(1_000)
    assert sample.scale == pytest.approx(10)
    assert len(sample_of(content, len(content)).requests) == 500


def test_what_is_asked_for_decides_the_tokens() -> None:
    def tokens(content: bytes) -> tuple[int, int]:
        [(_, found)] = sample_of(content, len(content)).requests
        return found.input_tokens, found.output_tokens

    short, long = tokens(line()), tokens(line("Hi " * 1_000))
    assert long[0] > 100 * short[0] / 10
    for name in ("max_tokens", "max_completion_tokens", "max_output_tokens"):
        assert tokens(line(**{name: 7}))[1] == 7
    assert tokens(line(max_tokens=10**9))[1] == short[1]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfe\n", b"{\n", b"[]\n", b'{"body":1}\n'])
def test_what_cannot_be_read_is_no_error_here(content: bytes) -> None:
    assert sample_of(content, len(content)).lines <= 2
