"""What an operator types: check, keys, the inbox, dead letters."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.acceptance.command import RunningStack, Typed, eventually, forebay, http_get, printed


def test_check_finds_a_running_stack_fit_to_start(stack: RunningStack) -> None:
    done = forebay("check", "--json", folder=stack.folder)
    assert done.returncode == 0, done.stderr
    checked = json.loads(done.stdout)
    assert checked["ok"] is True
    parts = {finding["part"] for finding in checked["findings"]}
    assert parts == {"installed", "broker", "redis", "ledger", "providers"}
    assert {finding["level"] for finding in checked["findings"]} <= {"fine", "hint"}


def test_check_names_every_fault_with_its_fix_and_no_password(
    type_in: Callable[..., Typed], tmp_path: Path
) -> None:
    typed = type_in(
        tmp_path,
        FOREBAY_BROKER__URL="amqp://me:hidden-word@127.0.0.1:9//",
        FOREBAY_REDIS__URL="redis://:hidden-word@127.0.0.1:9/0",
        FOREBAY_LEDGER__URL=f"sqlite+aiosqlite:///{tmp_path}/ledger.sqlite3",
    )
    checked = typed("check", "--json")
    assert checked.returncode == 1
    findings = json.loads(checked.stdout)["findings"]
    faults = {each["part"]: each["sentence"] for each in findings if each["level"] == "fault"}
    assert faults.keys() == {"broker", "redis", "ledger"}
    assert "forebay check --migrate" in faults["ledger"]
    assert "hidden-word" not in checked.stdout + checked.stderr


def test_check_says_all_that_is_wrong_with_the_settings(tmp_path: Path) -> None:
    (tmp_path / "forebay.toml").write_text('[worker]\nconcurency = 5\n[ingress]\nport = "x"\n')
    checked = forebay("check", "--json", folder=tmp_path, FOREBAY_LEDGER__POOL_SIZE="0")
    assert checked.returncode == 1
    sentences = " ".join(each["sentence"] for each in json.loads(checked.stdout)["findings"])
    for named in ("worker.concurency", "ledger.pool_size"):
        assert named in sentences


def test_a_key_is_shown_once_works_and_stops_working_when_revoked(
    stack: RunningStack, typed: Typed
) -> None:
    created = printed(typed, "keys", "create", "--tenant", "acme", "--expires", "30d")
    url, login = (
        f"{stack.ready['url']}/v1/models",
        {"Authorization": f"Bearer {created['key']}"},
    )
    assert http_get(url, headers=login).status_code == 200
    listed = typed("keys", "list").stdout
    assert created["key"] not in listed
    assert "acme" in listed
    printed(typed, "keys", "revoke", created["record"]["id"])
    assert eventually(lambda: http_get(url, headers=login).status_code == 401)


def test_a_rotated_key_goes_on_for_a_while_beside_the_new_one(
    stack: RunningStack, typed: Typed
) -> None:
    created = printed(typed, "keys", "create", "--tenant", "beta")
    rotated = printed(typed, "keys", "rotate", created["record"]["id"], "--overlap", "1h")
    for key in (created["key"], rotated["key"]):
        login = {"Authorization": f"Bearer {key}"}
        assert http_get(f"{stack.ready['url']}/v1/models", headers=login).status_code == 200


def test_a_person_answers_and_the_producer_gets_it(stack: RunningStack, typed: Typed) -> None:
    asked = printed(typed, "send", "When does my contract end?")
    assert asked["status"] == "requires_action"
    waiting = printed(typed, "handoff", "list")
    (handoff,) = [each for each in waiting if each["message_id"] == asked["id"]]
    printed(typed, "handoff", "answer", handoff["id"], "On 31 March.", "--by", "ann")
    login = {"Authorization": f"Bearer {stack.ready['key']}"}
    response = http_get(f"{stack.ready['url']}/v1/responses/{asked['id']}", headers=login).json()
    assert response["status"] == "completed"
    assert response["output"][0]["content"][0]["text"] == "On 31 March."
    for heard in (2, 0):
        told = http_get(
            f"{stack.ready['url']}/v1/responses/{asked['id']}",
            params={"stream": "true", "starting_after": heard},
            headers=login,
        ).text
        kinds = [line.removeprefix("event: ") for line in told.splitlines() if "event: " in line]
        assert kinds[-7:] == [
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.completed",
        ]
        assert ("response.requires_action" in kinds) is (heard < 2)
    twice = typed("handoff", "answer", handoff["id"], "Again.")
    assert twice.returncode == 1
    assert "answered already" in twice.stderr


def test_unknown_ids_are_refused_with_where_to_look(stack: RunningStack, typed: Typed) -> None:
    for arguments in (
        ("handoff", "answer", "hand_0", "text"),
        ("dead", "show", "dead_0"),
        ("dead", "replay", "dead_0"),
        ("handoff", "show", "hand_0"),
        ("keys", "revoke", "key_0"),
    ):
        done = typed(*arguments)
        assert done.returncode == 1
        assert f"forebay {arguments[0]} list" in done.stderr


def test_what_became_of_a_message_is_shown_whole(stack: RunningStack, typed: Typed) -> None:
    asked = printed(typed, "send", "When does my contract end?")
    said = {"type": "message", "role": "user", "content": "When does my contract end?"}
    shown = printed(typed, "show", asked["id"])
    assert shown["record"]["state"] == "requires_action"
    assert shown["record"]["body"]["input"] == [said]
    assert shown["attempts"][-1]["provider"] == "handoff"
    waiting = printed(typed, "handoff", "show", shown["handoff_id"])
    assert waiting["body"]["input"] == [said]
    text = typed("show", asked["id"]).stdout
    for named in (asked["id"], "requires_action", "tenant", shown["handoff_id"]):
        assert named in text
    assert "When does" in typed("handoff", "show", shown["handoff_id"]).stdout
