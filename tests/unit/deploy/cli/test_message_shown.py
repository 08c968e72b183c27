"""What `forebay show` prints of one message."""

from __future__ import annotations

import pytest

from deploy.cli import show as command
from shared.messages.turn_report import ContextReport, TurnReport, encode_report
from shared.persistence.message_history import MessageHistory
from tests.queued_message import queued_message


def test_every_part_of_a_turns_report_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report = TurnReport(
        context=ContextReport(kept=3, dropped=2),
        dropped=("seed", "stop"),
        caught=("amounts", "json_schema"),
        variant="brief",
    )
    history = MessageHistory(
        record=queued_message(report=encode_report(report)),
        tenant_name=None,
        lease_until=None,
        wakes=0,
        attempts=[],
        dead_letters=[],
        handoff_id=None,
        handoff_state=None,
        handed_off_at=None,
        answered_by_person_at=None,
    )

    async def read(message_id: str) -> MessageHistory:
        return history

    monkeypatch.setattr(command, "_read", read)
    command.show("resp_1")

    said = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert {tuple(line) for line in said} >= {
        ("context", "kept 3, dropped 2"),
        ("dropped", "seed, stop"),
        ("caught", "amounts, json_schema"),
        ("variant", "brief"),
    }
