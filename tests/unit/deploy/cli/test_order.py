from __future__ import annotations

from deploy.cli.send.order import BadLine, Order, read_jsonl, read_text


def test_a_line_is_a_json_string_or_an_object_with_the_fields_of_a_request() -> None:
    lines = ['"hello"', "", '{"input": "hi", "model": "big"}']
    assert list(read_jsonl(lines, {"model": "small"})) == [
        Order({"model": "small", "input": "hello"}, line=1),
        Order({"model": "big", "input": "hi"}, line=3),
    ]


def test_a_bad_line_is_named_by_its_number_and_stops_nobody() -> None:
    first, bad, empty, number, last = read_jsonl(
        ['"one"', "{broken", '{"model": "big"}', "17", '"two"'], {}
    )
    assert isinstance(first, Order)
    assert isinstance(last, Order)
    assert isinstance(bad, BadLine)
    assert bad.line == 2
    assert "is not JSON" in bad.problem
    assert [empty, number] == [
        BadLine(line, 'has no message: write a string, or an object with "input".')
        for line in (3, 4)
    ]


def test_lines_from_standard_input_are_plain_text_unless_they_are_objects() -> None:
    assert list(read_text(["hello there\n", '{"input": "hi"}\n', "\n"], {"user": "ann"})) == [
        Order({"user": "ann", "input": "hello there"}, line=1),
        Order({"user": "ann", "input": "hi"}, line=2),
    ]
