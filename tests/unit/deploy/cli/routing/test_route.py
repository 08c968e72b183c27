"""`forebay route`, as an operator types it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from deploy.cli.__main__ import FAILED, WRONGLY_USED, run

PROVIDER = {
    "name": "own",
    "kind": "openai_compatible",
    "base_url": "http://127.0.0.1:9/v1",
    "small_model": "mini",
    "large_model": "max",
}
PRICES = [
    {"model": "mini", "input_per_million": 1, "output_per_million": 2},
    {"model": "max", "input_per_million": 10, "output_per_million": 20},
]
HARD = "Prove that there are infinitely many primes, and explain why."


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def two_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOREBAY_PROVIDERS", json.dumps([PROVIDER]))
    monkeypatch.setenv("FOREBAY_COSTS__PRICES", json.dumps(PRICES))


def lines(folder: Path, *messages: object) -> str:
    file = folder / "messages.jsonl"
    file.write_text("".join(f"{json.dumps(each)}\n" for each in messages), encoding="utf-8")
    return str(file)


def replayed(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    run(["route", "replay", *arguments, "--json"])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.usefixtures("two_models")
def test_it_explains_a_message(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["route", "explain", HARD, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["tier"], told["model"], told["large_from"]) == ("large", "max", 0.25)
    assert {"demand", "routine"} <= {signal["name"] for signal in told["signals"]}
    assert run(["route", "explain", HARD]) == 0
    assert "large (max at own): score" in capsys.readouterr().out


def test_it_explains_what_it_reads_and_needs_no_provider(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("Who was Ada Lovelace?"))
    assert run(["route", "explain", "--stdin", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["tier"], told["model"]) == ("small", None)


@pytest.mark.usefixtures("two_models")
def test_each_policy_costs_what_its_models_cost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    easy = {"input": "Who are you?", "output_tokens": 500_000, "hard": False}
    hard = {"input": HARD, "output_tokens": 1_000_000, "hard": True}
    found = replayed(capsys, lines(tmp_path, easy, hard), "--large-from", "0.25", "1")
    costs = {each["policy"]: float(each["dollars"]) for each in found["policies"]}
    assert costs["all small"] == pytest.approx(3, abs=0.001)
    assert costs["all large"] == pytest.approx(30, abs=0.01)
    assert costs["auto from 0.25"] == pytest.approx(21, abs=0.01)
    assert costs["auto from 1"] == costs["all small"]
    wrong = [(each["hard_to_small"], each["easy_to_large"]) for each in found["policies"]]
    assert wrong == [(1, 0), (0, 1), (0, 0), (1, 0)]
    assert found["policies"][2]["saved"] == pytest.approx(0.3, abs=0.01)


@pytest.mark.usefixtures("two_models")
def test_an_answer_of_unknown_length_is_estimated_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = lines(tmp_path, "Hi", {"input": "Hi", "max_output_tokens": 10})
    found = replayed(capsys, file, "--output-tokens", "1000000")
    assert found["estimated_answers"] == 2
    assert float(found["policies"][0]["dollars"]) == pytest.approx(2.00002, abs=1e-5)
    assert run(["route", "replay", file]) == 0
    assert "Estimated: 2 answers" in capsys.readouterr().out


def test_an_unknown_price_is_unknown_and_never_zero(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = lines(tmp_path, "Hi")
    monkeypatch.setenv("FOREBAY_PROVIDERS", json.dumps([PROVIDER]))
    monkeypatch.setenv("FOREBAY_COSTS__PRICES", json.dumps(PRICES[:1]))
    found = replayed(capsys, file)
    assert found["policies"][0]["dollars"] is not None
    assert found["policies"][1]["dollars"] is None
    assert all(each["saved"] is None for each in found["policies"])
    run(["route", "replay", file])
    shown = capsys.readouterr().out
    assert "unknown" in shown
    assert "'max' has no known price" in shown
    monkeypatch.delenv("FOREBAY_PROVIDERS")
    run(["route", "replay", file])
    assert "No provider has two models" in capsys.readouterr().out


@pytest.mark.usefixtures("two_models")
def test_a_bad_line_is_named_and_the_others_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = lines(tmp_path, "Hi", {"input": 3}, {"input": ""}, {"input": "x", "hard": "very"}, "Ho")
    Path(file).write_bytes(Path(file).read_bytes() + b"\n{nope\n\xff\xfe\n")
    assert run(["route", "replay", file, "--json"]) == FAILED
    captured = capsys.readouterr()
    assert json.loads(captured.out)["messages"] == 2
    assert json.loads(captured.out)["bad_lines"] == 5
    for number in (2, 3, 4, 7, 8):
        assert f"line {number} is no message" in captured.err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["missing.jsonl"], "missing.jsonl cannot be read"),
        (["missing.jsonl", "--large-from", "2"], "--large-from 2 is out of range"),
        (["missing.jsonl", "--output-tokens", "-1"], "--output-tokens"),
    ],
)
def test_wrong_use_says_what_is_wrong(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["route", "replay", *arguments]) == WRONGLY_USED
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["Hi", "--stdin"]])
def test_there_is_one_message_to_explain(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["route", "explain", *arguments]) == WRONGLY_USED
    assert "Give a message, or --stdin" in capsys.readouterr().err


def test_an_empty_file_has_no_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["route", "replay", lines(tmp_path)]) == 0
    assert "no message" in capsys.readouterr().out
