from __future__ import annotations

from pathlib import Path

import pytest

from deploy.cli.__main__ import DONE, FAILED, WRONGLY_USED, run


def test_help_and_version_are_done(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == DONE
    assert run(["--help"]) == DONE
    assert "forebay COMMAND" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["chek"],
        ["demo", "--only", "no_such_scene"],
        ["send"],
        ["send", "hello", "--stdin"],
        ["send", "hello", "--concurrency", "0"],
        ["cache", "calibrate", "--bound", "2"],
        ["send", "--file", "no-such-file.jsonl"],
        ["keys", "create"],
        ["keys", "create", "--tenant", "a", "--expires", "soon"],
        ["up", "--model", "m"],
        ["keys", "create", "--tenant", "a", "--expires", "0d"],
        ["keys", "create", "--tenant", " "],
        ["keys", "create", "--tenant", "a\nb"],
        ["keys", "create", "--tenant", "a" * 129],
        ["handoff", "list", "--limit", "0"],
        ["dead", "list", "--limit", "-1"],
        ["dead", "show", "\udcff"],
        ["worker", "--lane", "express"],
        ["worker", "--concurrency", "0"],
        ["worker", "--name", "two words"],
        ["tenants", "limits", "a", "--max-in-flight", "0"],
        ["tenants", "limits", "a", "--weight", "0"],
        ["tenants", "limits", "a", "--weight", "nan"],
        ["tenants", "limits", "a", "--weight", "inf"],
        ["lanes", "--lane", "express"],
        ["tenants", "limits", "a", "--max-in-flight", "1", "--from-settings"],
        ["show"],
    ],
)
def test_wrong_use_is_told_apart_from_failure(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.execv", lambda *_: pytest.fail("it became a process"))
    assert run(arguments) == WRONGLY_USED
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err


@pytest.mark.parametrize("verb", ["ingress", "worker", "model"])
def test_what_becomes_a_process_fails_like_every_command_before_it(
    verb: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FOREBAY_INGRESS__PORT", "-1")
    monkeypatch.setattr("os.execv", lambda *_: pytest.fail("it became a process"))
    assert run([verb]) == FAILED
    assert "ingress.port" in capsys.readouterr().err


def test_bad_settings_are_all_named_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FOREBAY_WORKER__CONCURRENCY", "many")
    monkeypatch.setenv("FOREBAY_INGRESS__PORT", "-1")
    assert run(["keys", "list"]) == FAILED
    said = capsys.readouterr().err
    assert "worker.concurrency" in said
    assert "ingress.port" in said


def test_a_missing_stack_is_said_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("empty"))
    for name in ("FOREBAY_URL", "FOREBAY_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    assert run(["send", "hello"]) == FAILED
    assert "forebay up" in capsys.readouterr().err


@pytest.mark.parametrize("typed", ["breakers", "breakers reset a/b"])
def test_a_missing_redis_is_said_with_the_remedy(
    typed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOREBAY_REDIS__URL", "redis://127.0.0.1:1/0")
    assert run(typed.split()) == FAILED
    said = capsys.readouterr().err
    assert "does not answer" in said
    assert "or start everything here with `forebay up`" in said
