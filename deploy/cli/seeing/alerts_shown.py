"""How `forebay alerts list` shows what there is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from deploy.cli.output import complain, moment, say, say_table

if TYPE_CHECKING:
    from shared.alerts.catalogue import AlertsStanding, Undelivered
    from shared.alerts.event import AlertEvent


def plain_alerts(found: AlertsStanding) -> dict[str, Any]:
    """As --json has it; readings of the clock of alerts mean nothing to others."""
    active = [
        {
            name: value
            for name, value in msgspec.structs.asdict(each).items()
            if "_seconds" not in name
        }
        for each in found.active
    ]
    return msgspec.structs.asdict(found) | {"active": active}


def say_alerts(found: AlertsStanding) -> None:
    """Tables of them; what no sink took is a complaint."""
    say_table(
        ("fingerprint", "state", "severity", "rule", "since", "acknowledged", "summary"),
        [
            (
                *(each.fingerprint, each.state, each.severity, each.rule, moment(each.since)),
                *(each.acknowledged_by or "", each.summary),
            )
            for each in found.active
        ],
        empty="Nothing fires.",
    )
    if found.without_data:
        say(f"Never had data, and cannot fire: {', '.join(found.without_data)}.")
    for silence in found.silences:
        matched = " ".join(f"{name}={value}" for name, value in silence.matchers.items())
        say(f"Silent until {moment(silence.until)} ({silence.id}, {silence.by}): {matched}")
    for each in found.undelivered:
        complain(_undelivered(each))


def say_history(events: Sequence[AlertEvent]) -> None:
    """What happened, a line each."""
    say_table(
        ("id", "at", "what", "severity", "rule", "told", "summary"),
        [
            (
                *(each.id, moment(each.at), each.kind, each.severity, each.rule),
                each.message_id or each.silence_id or each.by or "",
                each.summary,
            )
            for each in events
        ],
        empty="Nothing has fired so far.",
    )


def _undelivered(each: Undelivered) -> str:
    if each.state == "delivered":
        return f"{each.sink} took {each.message_id}, but not for everybody: {each.reason}"
    again = "given up" if each.due_at is None else f"again at {moment(each.due_at)}"
    return f"{each.sink} has not taken {each.message_id} ({again}): {each.reason}"
