"""What is wrong with an input is told by its lines, before anything of it runs."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from shared.batches.batch import LONGEST_LINE_BYTES, MOST_BYTES, MOST_LINES
from shared.batches.state import BatchEndpoint, BatchState, BatchSurface
from shared.files.content_store import CHUNK_BYTES
from tests.integration.batches.bench import Bench, chat, lines_of
from workers.batching.validation import MOST_FAULTS

GOOD = chat(1)


def _line(**changes: Any) -> bytes:
    line = msgspec.json.decode(chat(2)) | changes
    return msgspec.json.encode({key: value for key, value in line.items() if value is not None})


FAULTS: dict[str, tuple[bytes, str, int | None, str | None]] = {
    "nothing": (b"", "empty_file", None, None),
    "blank lines": (b"\n \n\r\n\n", "empty_file", None, None),
    "a byte order mark alone": (b"\xef\xbb\xbf\n", "empty_file", None, None),
    "no JSON": (GOOD + b"\nhello\n", "invalid_json_line", 2, None),
    "cut in the middle": (GOOD + b"\n" + chat(2)[:-9], "invalid_json_line", 2, None),
    "two on a line": (GOOD + chat(2) + b"\n", "invalid_json_line", 1, None),
    "not UTF-8": (
        GOOD + b"\n" + chat(2).replace(b"Say", b"S\xff\xfe"),
        "invalid_json_line",
        2,
        None,
    ),
    "half of a pair": (GOOD.replace(b"Say", b"\\ud800"), "invalid_json_line", 1, None),
    "UTF-16": (GOOD.decode().encode("utf-16"), "invalid_json_line", 1, None),
    "a list": (b"[]\n", "invalid_type", 1, None),
    "deeply nested": (b'{"body":' + b"[" * 100_000, "invalid_json_line", 1, None),
    "no custom_id": (_line(custom_id=None), "missing_required_parameter", 1, "custom_id"),
    "an empty custom_id": (_line(custom_id=""), "invalid_type", 1, "custom_id"),
    "a long custom_id": (_line(custom_id="x" * 513), "invalid_type", 1, "custom_id"),
    "a number for a custom_id": (_line(custom_id=7), "invalid_type", 1, "custom_id"),
    "NUL in a custom_id": (_line(custom_id="a\0b"), "invalid_custom_id", 1, "custom_id"),
    "a custom_id twice": (
        lines_of(GOOD, chat(2), GOOD.replace(b"Say", b"Tell")),
        "duplicate_custom_id",
        3,
        "custom_id",
    ),
    "another method": (_line(method="GET"), "invalid_method", 1, "method"),
    "no method": (_line(method=None), "missing_required_parameter", 1, "method"),
    "another endpoint": (_line(url="/v1/embeddings"), "invalid_url", 1, "url"),
    "no endpoint": (_line(url=None), "missing_required_parameter", 1, "url"),
    "no body": (_line(body=None), "missing_required_parameter", 1, "body"),
    "a body that is no object": (_line(body="x"), "invalid_type", 1, "body"),
    "several models": (lines_of(GOOD, chat(2, model="n")), "mismatched_model", 2, "body.model"),
    "a line without a model": (
        lines_of(GOOD, chat(2, model=None)),
        "mismatched_model",
        2,
        "body.model",
    ),
}


async def test_a_fault_is_told_with_its_line_and_nothing_runs(sqlite_bench: Bench) -> None:
    for name, (content, code, line, param) in FAULTS.items():
        of = await sqlite_bench.expanded(content)
        assert (of.state, of.failed_at) == (BatchState.FAILED, sqlite_bench.clock.now()), name
        assert of.errors is not None
        fault = of.errors[0]
        assert (fault.code, fault.line, fault.param) == (code, line, param), name
        assert fault.message.endswith(".")
        assert len(fault.message) < 300
        assert not await sqlite_bench.lines(of)
    assert not await sqlite_bench.count()


async def test_all_faulty_lines_are_told_up_to_a_number(sqlite_bench: Bench) -> None:
    of = await sqlite_bench.expanded(lines_of(*(b"{" for _ in range(MOST_FAULTS + 20))))
    assert of.errors is not None
    assert [fault.line for fault in of.errors] == [*range(1, MOST_FAULTS + 1)]


async def test_a_line_may_not_be_longer_than_ten_megabytes(sqlite_bench: Bench) -> None:
    long = _line(body={"model": "m", "messages": "x" * LONGEST_LINE_BYTES})
    of = await sqlite_bench.expanded(lines_of(GOOD, long, chat(3)))
    assert of.errors is not None
    assert [(fault.code, fault.line) for fault in of.errors] == [("line_too_long", 2)]
    assert str(LONGEST_LINE_BYTES) in of.errors[0].message
    assert "Shorten" in of.errors[0].message


async def test_a_batch_has_no_more_than_fifty_thousand_lines(sqlite_bench: Bench) -> None:
    line = b'{"custom_id":"%d","method":"POST","url":"/v1/chat/completions","body":{"model":"m"}}\n'
    of = await sqlite_bench.expanded(b"".join(line % n for n in range(MOST_LINES + 5)))
    assert of.errors is not None
    assert [(fault.code, fault.line) for fault in of.errors] == [("too_many_lines", MOST_LINES + 1)]


async def test_a_file_above_the_limit_is_not_read(sqlite_bench: Bench) -> None:
    asked = await sqlite_bench.ask(GOOD)
    large = msgspec.structs.replace(asked, input_bytes=MOST_BYTES + 1)
    assert await sqlite_bench.expander.step(large)
    of = await sqlite_bench.now(asked)
    assert of.errors is not None
    assert of.errors[0].code == "file_too_large"


async def test_an_input_that_is_gone_is_a_fault(sqlite_bench: Bench) -> None:
    asked = await sqlite_bench.ask(GOOD)
    while await sqlite_bench.store.delete(asked.content_id, limit=100):
        pass
    await sqlite_bench.expander()
    of = await sqlite_bench.now(asked)
    assert of.state is BatchState.FAILED
    assert of.errors is not None
    assert of.errors[0].code == "input_file_deleted"


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + lines_of(GOOD, chat(2)),
        lines_of(GOOD, chat(2), end=b"\r\n"),
        GOOD + b"\n\n \n" + chat(2) + b"\n\n",
        GOOD + b"\n" + chat(2),
    ],
    ids=["byte order mark", "CRLF", "blank lines", "no last end"],
)
async def test_spellings_of_lines_are_all_the_same(sqlite_bench: Bench, content: bytes) -> None:
    of = await sqlite_bench.expanded(content)
    assert of.errors is None
    assert of.total == 2
    assert [custom_id for _, custom_id, _ in await sqlite_bench.lines(of)] == ["c1", "c2"]


@pytest.mark.parametrize("split", range(1, 4))
async def test_characters_may_lie_across_chunks(sqlite_bench: Bench, split: int) -> None:
    # The euro sign's three bytes are at the end of the first chunk and the beginning of the next.
    before = CHUNK_BYTES - len(chat(1, "")) + len(b'"}]}}') - split
    text = "x" * before + "€" * 5
    of = await sqlite_bench.expanded(lines_of(chat(1, text), chat(2)))
    assert of.errors is None
    found = {each.body for each in await sqlite_bench.messages()}
    assert len(found) == 2
    assert sum(text in body for body in found) == 1


async def test_anthropics_lines_name_any_models(sqlite_bench: Bench) -> None:
    params = {"max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
    lines = [
        msgspec.json.encode({"custom_id": f"c{n}", "params": params | {"model": f"m{n}"}})
        for n in range(2)
    ]
    asked = {"surface": BatchSurface.ANTHROPIC, "endpoint": BatchEndpoint.MESSAGES}
    of = await sqlite_bench.expanded(lines_of(*lines), **asked)
    assert (of.state, of.total, of.model) == (BatchState.IN_PROGRESS, 2, None)
    assert of.estimate is not None
    assert of.estimate.output_tokens == 18
    bad = await sqlite_bench.expanded(lines_of(GOOD), **asked)
    assert bad.errors is not None
    assert bad.errors[0].param == "params"
