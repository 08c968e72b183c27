"""Each way of telling, before real receivers; and what a sink that hangs or refuses does."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from standardwebhooks import Webhook

from shared.alerts.telling.deliveries import SinkOutcome
from shared.alerts.telling.message import AlertMessage, trial_message
from shared.clock import SystemClock
from shared.settings.secret import Secret, ServerUrl
from shared.settings.watching.alert_sinks import AlertSinkKind, AlertSinkSettings
from tests.integration.webhooks.receiver import WebhookReceiver
from workers.alerting.sinks.opening import open_sinks

from .conftest import SECRET, sent, told_to, webhook_sink

OTHER_SECRET = "whsec_" + "B" * 44


async def test_a_webhook_is_signed_with_every_secret_that_is_in_force(
    receiver: WebhookReceiver,
) -> None:
    sink = webhook_sink(receiver.url, secrets=(Secret(SECRET), Secret(OTHER_SECRET)))
    assert await sent(sink) == SinkOutcome()
    (got,) = receiver.got
    for secret in (SECRET, OTHER_SECRET):
        assert Webhook(secret).verify(got.body, got.headers)["object"] == "alerts"
    assert got.id == got.event["id"]
    assert got.event["is_test"] is True


async def test_slack_is_given_text_that_holds_no_markup_of_others(
    receiver: WebhookReceiver,
) -> None:
    sink = AlertSinkSettings(name="chat", kind=AlertSinkKind.SLACK, url=ServerUrl(receiver.url))
    assert await sent(sink) == SinkOutcome()
    assert receiver.got[0].event == {"text": "&lt;b&gt;A &amp; B&lt;/b&gt;"}


@pytest.mark.parametrize(
    ("refused", "says"),
    [
        (
            {"allowed_networks": ()},
            "have it allowed: alerts.allowed_networks.",
        ),
        ({"allow_http": False}, "does not begin with https://. alerts.allow_http would allow"),
    ],
)
async def test_what_sinks_may_not_reach_names_the_setting_that_would_allow_it(
    receiver: WebhookReceiver, refused: dict[str, Any], says: str
) -> None:
    settings = msgspec.structs.replace(told_to(webhook_sink(receiver.url)), **refused)
    (opened,) = open_sinks(settings, SystemClock()).values()
    message = trial_message(SystemClock().now())
    outcome = await opened.send(message, b"{}")
    assert says in (outcome.error or "")
    assert receiver.got == []


def command_sink(script: str, *arguments: str, **more: object) -> AlertSinkSettings:
    argv = (sys.executable, "-c", script, *arguments)
    sink = AlertSinkSettings(name="run", kind=AlertSinkKind.COMMAND, argv=argv)
    return msgspec.structs.replace(sink, **more)


async def test_a_command_gets_the_message_and_no_shell_sees_its_arguments(tmp_path: Path) -> None:
    file = tmp_path / "$(touch hacked); it"
    keep = "import sys; open(sys.argv[1], 'w').write(sys.stdin.read())"
    assert await sent(command_sink(keep, str(file))) == SinkOutcome()
    message = msgspec.json.decode(file.read_bytes(), type=AlertMessage)
    assert message.title == "<b>A & B</b>"
    assert [*tmp_path.iterdir()] == [file]


async def test_a_command_that_fails_says_why() -> None:
    outcome = await sent(command_sink("import sys; sys.exit('It is full.')"))
    assert outcome.error == "The command ended with 1: It is full."


async def test_a_command_that_is_not_there_is_an_error_and_no_crash() -> None:
    outcome = await sent(
        AlertSinkSettings(name="run", kind=AlertSinkKind.COMMAND, argv=("/no/such",))
    )
    assert "cannot be run" in (outcome.error or "")


async def test_a_command_that_hangs_is_ended_with_all_it_began(tmp_path: Path) -> None:
    begins = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "open(sys.argv[1], 'w').write(str(child.pid))\n"
        "time.sleep(600)\n"
    )
    file = tmp_path / "child"
    outcome = await sent(command_sink(begins, str(file), timeout_seconds=2.0))
    assert "did not end within 2 s" in (outcome.error or "")
    child = Path("/proc", file.read_text())
    async with asyncio.timeout(30):
        while _lives(child):  # noqa: ASYNC110 - the kernel takes it away
            await asyncio.sleep(0.05)


def _lives(process: Path) -> bool:
    try:
        return "zombie" not in (process / "status").read_text()
    except OSError:
        return False
