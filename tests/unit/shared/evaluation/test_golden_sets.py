"""Golden sets are read line by line, and what is wrong is named with its place and its fix."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shared.errors import InvalidRequest
from shared.evaluation.golden.case import GoldenCase
from shared.evaluation.golden.golden_set import read_golden_set, shipped_sets

CASE: dict[str, Any] = {"id": "a", "input": "x", "checks": [{"kind": "exact", "text": "x"}]}


def written(folder: Path, *lines: object) -> str:
    told = [each if isinstance(each, str) else json.dumps(each) for each in lines]
    path = folder / "set.jsonl"
    path.write_text("\n".join(told))
    return str(path)


@pytest.mark.parametrize("name", shipped_sets())
def test_every_set_that_comes_along_is_whole(name: str) -> None:
    golden, faults = read_golden_set(name)
    assert not faults
    assert golden.name == name
    assert len(golden.cases) >= 6


@pytest.mark.parametrize(
    ("line", "key", "fix"),
    [
        ("nonsense", "", "Write one JSON object a line."),
        ('["a"]', "", "Expected `object`"),
        (CASE | {"chekcs": []}, "chekcs", "Remove it."),
        (CASE | {"checks": []}, "checks", "length >= 1"),
        (CASE | {"weight": 0}, "weight", "> 0.0"),
        (CASE | {"id": "\0"}, "id", "Write plain text."),
        (CASE | {"checks": [{"kind": "regx"}]}, "checks[0].kind", "Use one of: exact, regex"),
        (CASE | {"checks": [{"kind": "regex", "pattern": "a("}]}, "checks.pattern", "Mend it."),
        (CASE | {"checks": [{"kind": "schema", "schema": {"type": 7}}]}, "checks.schema", "Mend"),
        (CASE | {"facts": {"balance": {"type": "mony"}}}, "facts", "Use one of: money"),
    ],
)
def test_a_wrong_line_is_named_and_the_others_are_read(
    tmp_path: Path, line: object, key: str, fix: str
) -> None:
    golden, faults = read_golden_set(written(tmp_path, CASE | {"id": "first"}, "", line))
    assert [each.id for each in golden.cases] == ["first"]
    (fault,) = faults
    assert (fault.line, fault.key) == (3, key)
    assert fix in fault.problem
    assert str(fault).startswith(f"{tmp_path / 'set.jsonl'}, line 3")


def test_an_id_stands_there_once(tmp_path: Path) -> None:
    golden, (fault,) = read_golden_set(written(tmp_path, CASE, CASE))
    assert len(golden.cases) == 1
    assert "twice" in fault.problem


def test_a_digest_is_of_what_is_asked_and_not_of_how_it_is_spelt(tmp_path: Path) -> None:
    one, _ = read_golden_set(written(tmp_path, CASE))
    turned = dict(reversed(CASE.items()))
    other, _ = read_golden_set(written(tmp_path, "", json.dumps(turned, indent=None)))
    changed, _ = read_golden_set(written(tmp_path, CASE | {"input": "y"}))
    assert one.digest == other.digest != changed.digest


def test_what_is_no_set_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="account, grounded, structured, tools"):
        read_golden_set("accounts")
    with pytest.raises(InvalidRequest, match="has no case"):
        read_golden_set(written(tmp_path, ""))


def test_a_case_is_sent_with_its_facts_and_its_collection() -> None:
    case = GoldenCase(
        id="a",
        input="x",
        checks=(),
        request={"tools": [{"vector_store_ids": ["$collection"]}], "metadata": {"team": "blue"}},
        facts={"seats": {"type": "number", "value": 25}},
    )
    body = case.body(collection_id="vs_1")
    assert body["tools"] == [{"vector_store_ids": ["vs_1"]}]
    assert body["metadata"]["team"] == "blue"
    assert msgspec.json.decode(body["metadata"]["forebay.facts"])["seats"]["value"] == 25
    assert case.needs_collection
