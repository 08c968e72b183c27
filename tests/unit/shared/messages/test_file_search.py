"""The tool `file_search`: what is taken, what is refused by name, and what is told of a search."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from shared.errors import InvalidRequest
from shared.messages.body import Body, body_digest, encode_body
from shared.messages.file_search.found_text import Citations, FileCitation, FoundText
from shared.messages.item import MessageItem, Role, SearchCall
from shared.messages.output import encode_items, said_by_id
from shared.messages.requests.create_response import decode_create_response
from shared.messages.response import ResponseObject, response_object
from shared.messages.state import ResponseState
from shared.messages.stored_body import decode_body
from shared.messages.tool import ToolChoice
from tests.queued_message import queued_message

SEARCH: dict[str, Any] = {
    "type": "file_search",
    "vector_store_ids": ["vs_1", "vs_2"],
    "filters": {"type": "eq", "key": "kind", "value": "manual"},
    "max_num_results": 7,
    "ranking_options": {
        "ranker": "auto",
        "score_threshold": 0.25,
        "hybrid_search": {"embedding_weight": 2.0, "text_weight": 1.0},
    },
}
FUNCTION = {"type": "function", "name": "f", "parameters": {"type": "object"}}
INCLUDE = ["file_search_call.results"]
FOUND = FoundText("file-1", "roads.md", 0.5, "There are 47 roads.", {"kind": "manual"})
ITEMS = (
    SearchCall(queries=("How many roads?",), results=(FOUND,), status="completed"),
    Citations((FileCitation(9, "file-1", "roads.md"),)),
)


def read(**fields: Any) -> Body:
    return decode_create_response(json.dumps({"input": "How many roads?", **fields}).encode())


def answered(**fields: Any) -> ResponseObject:
    record = queued_message(
        body=encode_body(read(**fields)).decode(),
        state=ResponseState.COMPLETED,
        output_text="47 roads.",
        output_items=encode_items(ITEMS),
    )
    return response_object(record)


def in_json(response: ResponseObject) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = msgspec.json.decode(msgspec.json.encode(response.output))
    return told


def test_the_tool_is_kept_whole_and_told_where_it_stood_among_the_others() -> None:
    tools = [FUNCTION, SEARCH, {**FUNCTION, "name": "g"}]
    body = read(tools=tools, include=INCLUDE)

    assert decode_body(encode_body(body)) == body
    assert [tool.name for tool in body.tools or ()] == ["f", "g"]
    assert body.searches
    assert body.file_search is not None
    assert body.file_search.tells_results
    assert [tool["type"] for tool in answered(tools=tools).tools] == [
        *("function", "file_search", "function")
    ]
    assert answered(tools=tools).tools[1] == SEARCH


def test_the_order_of_the_keys_of_a_filter_makes_no_other_message() -> None:
    turned = {**SEARCH, "filters": dict(reversed(SEARCH["filters"].items()))}
    assert body_digest(read(tools=[SEARCH])) == body_digest(read(tools=[turned]))
    assert body_digest(read(tools=[SEARCH])) != body_digest(read(tools=[]))


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"vector_store_ids": []}, "tools[1].vector_store_ids"),
        ({"vector_store_ids": None}, "tools[1].vector_store_ids"),
        ({"vector_store_ids": [f"vs_{n}" for n in range(17)]}, "tools[1].vector_store_ids"),
        ({"vector_store_ids": ["vs_1", ""]}, "tools[1].vector_store_ids[1]"),
        ({"vector_store_ids": ["a\0"]}, "tools[1].vector_store_ids[0]"),
        ({"max_num_results": 0}, "tools[1].max_num_results"),
        ({"max_num_results": 51}, "tools[1].max_num_results"),
        ({"ranking_options": {"score_threshold": 2}}, "tools[1].ranking_options.score_threshold"),
        (
            {"ranking_options": {"hybrid_search": {"embedding_weight": 0, "text_weight": 0}}},
            "tools[1].ranking_options.hybrid_search",
        ),
        ({"name": "f"}, "tools[1].name"),
        ({"parameters": {}}, "tools[1].parameters"),
    ],
)
def test_what_is_wrong_with_a_search_is_named_by_its_place(
    change: dict[str, Any], param: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(tools=[FUNCTION, {**SEARCH, **change}])
    assert refused.value.param == param


@pytest.mark.parametrize(
    ("tools", "choice", "param"),
    [
        ([SEARCH, SEARCH], None, "tools[1]"),
        ([{**FUNCTION, "vector_store_ids": ["vs_1"]}], None, "tools[0].vector_store_ids"),
        ([SEARCH, {"type": "function"}], None, "tools[1].name"),
        ([SEARCH, FUNCTION, FUNCTION], None, "tools[2]"),
        ([FUNCTION], {"type": "file_search"}, "tool_choice"),
        ([], {"type": "file_search"}, "tool_choice"),
    ],
)
def test_what_is_wrong_among_the_tools_is_named_by_its_place(
    tools: list[Any], choice: Any, param: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(tools=tools, tool_choice=choice)
    assert refused.value.param == param


ONLY = {"type": "file_search"}
SOME: dict[str, Any] = {"type": "allowed_tools", "mode": "auto", "tools": [ONLY]}
BOTH: dict[str, Any] = {**SOME, "tools": [{"type": "function", "name": "f"}, ONLY]}
NAMED: dict[str, Any] = {"type": "function", "name": "f"}


@pytest.mark.parametrize(
    ("choice", "searches", "needs", "left"),
    [
        ("auto", True, False, None),
        ("required", True, True, None),
        ("none", False, False, ToolChoice("none")),
        (ONLY, True, True, ToolChoice("none")),
        (NAMED, False, False, ToolChoice("required", ["f"])),
        (SOME, True, False, ToolChoice("none")),
        (BOTH, True, False, ToolChoice("auto", ["f"])),
        ({**BOTH, "mode": "required"}, True, True, ToolChoice("auto", ["f"])),
    ],
)
def test_a_choice_says_whether_files_are_searched_and_what_is_left_of_it_for_functions(
    choice: Any, searches: bool, needs: bool, left: ToolChoice | None
) -> None:
    body = read(tools=[FUNCTION, SEARCH], tool_choice=choice)
    chosen = body.tool_choice or ToolChoice("auto")

    assert body.searches is searches
    assert chosen.needs_search is needs
    assert chosen.beside_search(searches=body.searches) == left
    assert response_object(queued_message(body=encode_body(body).decode())).tool_choice == choice


def test_what_was_found_is_told_to_who_asked_for_it_and_citations_to_everybody() -> None:
    plain, whole = answered(tools=[SEARCH]), answered(tools=[SEARCH], include=INCLUDE)

    told = in_json(plain)
    assert [each["type"] for each in told] == ["file_search_call", "message"]
    assert told[0] == {
        "type": "file_search_call",
        "id": f"fs_{plain.id.removeprefix('resp_')}",
        "queries": ["How many roads?"],
        "status": "completed",
        "results": None,
    }
    assert told[1]["content"][0]["annotations"] == [
        {"type": "file_citation", "index": 9, "file_id": "file-1", "filename": "roads.md"}
    ]
    assert in_json(whole)[0]["results"] == [
        {
            "file_id": "file-1",
            "filename": "roads.md",
            "score": 0.5,
            "text": "There are 47 roads.",
            "attributes": {"kind": "manual"},
        }
    ]


def test_a_turn_that_comes_back_with_its_search_is_the_same_turn() -> None:
    output = in_json(answered(tools=[SEARCH], include=INCLUDE))
    annotation = output[1]["content"][0]["annotations"][0]
    # Clients write the fields of what they were told in an order of their own.
    output[1]["content"][0]["annotations"] = [dict(sorted(annotation.items()))]
    sent = decode_create_response(json.dumps({"input": output}).encode()).input

    said = [item for _, item in said_by_id("resp_1", "47 roads.", encode_items(ITEMS))]
    assert [each.digest() for each in sent] == [each.digest() for each in said]
    assert sent[1].digest() == MessageItem(Role.ASSISTANT, "47 roads.").digest()
    assert sent[0] == SearchCall(
        queries=("How many roads?",), results=(FOUND,), id=output[0]["id"], status="completed"
    )
    assert (sent[0].text(), sent[0].tokens(), sent[0].size()) == ("", 0, 0)


def test_a_search_that_is_sent_without_its_id_is_refused_by_name() -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(input=[{"type": "file_search_call", "queries": ["x"], "status": "completed"}])
    assert refused.value.param == "input[0].id"
