"""What is typed wrongly is said in one line: what is wrong, what to type, where the help is."""

from __future__ import annotations

import pytest

from deploy.cli.__main__ import WRONGLY_USED, run

SENTENCES = {
    "files show f": "forebay files show needs --tenant: write --tenant TENANT.",
    "files show f --tenant": "--tenant has no value: write it after --tenant.",
    "show": "forebay show needs MESSAGE_ID: write it after the command.",
    "show one two": "forebay show does not know what to do with 'two': leave it out, or quote it.",
    "send hello --lan x": "forebay send has no option --lan. Did you mean --lane?",
    "send hello -x": "forebay send has no option -x.",
    "send hello --json --json": "--json is given more than once: leave one.",
    "chek": "forebay has no command 'chek'. Did you mean check?",
    "keys lst": "forebay keys has no command 'lst'. Did you mean list?",
    "handoff list --limit x": "--limit cannot be 'x': write a whole number.",
    "handoff list --limit 0": "--limit cannot be '0'. Must be >= 1.",
    "route replay file --large-from y": "--large-from cannot be 'y': write a number.",
    "worker --lane express": "--lane cannot be 'express': write interactive, standard or batch.",
}


@pytest.mark.parametrize("typed", SENTENCES)
def test_one_line_says_what_is_wrong_and_what_to_type(
    typed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(typed.split()) == WRONGLY_USED
    said = capsys.readouterr()
    assert said.out == ""
    line, end = said.err.split(" See: forebay")
    assert line == SENTENCES[typed]
    assert end.endswith(" --help\n")
    assert end.count("\n") == 1


def test_the_help_that_is_named_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    run(["files", "show", "f"])
    named = capsys.readouterr().err.partition(" See: forebay ")[2].split()
    assert run(named) == 0
    assert "--tenant STR: Name of the tenant" in capsys.readouterr().out


def test_help_is_as_wide_as_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    assert run(["keys", "create", "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 50
    assert "  [choices: producer, reader, operator, admin]" in lines
