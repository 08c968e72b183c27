"""`forebay alerts`: what fires, who was told, and what nobody is to be told of."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import msgspec
from cyclopts import App, Parameter

from deploy.cli.acts.pending import operating_user, pending_act
from deploy.cli.connection import command_settings, open_ledger
from deploy.cli.keys import duration
from deploy.cli.options import AsJson, Limit
from deploy.cli.output import complain, moment, say, say_json, say_table
from deploy.cli.seeing.alerts_shown import plain_alerts, say_alerts, say_history
from shared.clock import SystemClock
from shared.errors import InvalidRequest, use_one_of

TOOK: Final = "took"
"""Under this name the audit log has which sinks took a test."""

if TYPE_CHECKING:
    from shared.alerts.catalogue import AlertCatalogue, AlertsStanding
    from shared.alerts.event import AlertEvent
    from shared.alerts.rule import Alert
    from shared.alerts.silence import Silence
    from shared.alerts.telling.deliveries import SinkOutcome
    from shared.settings import Settings

alerts = App(name="alerts", help="Alerts: what fires, who was told, silences, and a test of sinks.")


@alerts.command(name="list")
def list_alerts(
    *,
    history: bool = False,
    after: str | None = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Show what is pending or firing, rules that never had data, messages that did not arrive, and
    silences; with --history what happened instead, the newest first.

    Parameters
    ----------
    history
        Show what happened: fired, reminded, resolved, acknowledged.
    after
        Go on after this line: the last fingerprint, or with --history id, of the page before.
    """
    if history:
        events = asyncio.run(_history(after, limit))
        say_json(events) if as_json else say_history(events)
        _say_more([each.id for each in events], limit)
        return
    found = asyncio.run(_standing(after, limit))
    say_json(plain_alerts(found)) if as_json else say_alerts(found)
    _say_more([each.fingerprint for each in found.active], limit)


def _say_more(ids: Sequence[str], limit: int) -> None:
    if len(ids) == limit:
        complain(f"There may be more: --after {ids[-1]}")


@alerts.command
def acknowledge(fingerprint: str, /, *, by: str | None = None, as_json: AsJson = False) -> None:
    """Say that somebody is at it: nobody is reminded of this firing alert any more.

    Parameters
    ----------
    fingerprint
        Its fingerprint, as `forebay alerts list` shows it.
    by
        Who; without, the user of this machine.
    """
    noted = asyncio.run(_acknowledge(fingerprint, by or operating_user().name))
    if as_json:
        say_json(noted)
    else:
        say(f"Acknowledged by {noted.acknowledged_by}: {noted.summary}")


@alerts.command
def silence(
    *matchers: str,
    lasting: Annotated[str, Parameter(name="--for", help="How long, such as 2h or 7d.")] = "2h",
    why: str = "",
    end: str | None = None,
    as_json: AsJson = False,
) -> None:
    """Tell nobody of alerts that match all of these, for a while: `rule=latency tenant=ten_*`.

    What still fires when it is over is told then.

    Parameters
    ----------
    matchers
        A label and its value, with * and ?; rule and severity count as labels.
    why
        The reason, for who wonders later.
    end
        End the silence of this id at once, instead of beginning one.
    """
    if end is not None:
        asyncio.run(_end(end))
        say_json({"id": end, "ended": True}) if as_json else say(f"Ended: {end}.")
        return
    made = asyncio.run(_silence(dict(map(_matcher, matchers)), duration(lasting), why))
    if as_json:
        say_json(made)
    else:
        say(f"Silent until {moment(made.until)}: {made.id}")


@alerts.command(name="test")
def send_test(*, sink: tuple[str, ...] = (), as_json: AsJson = False) -> int:
    """Send a marked message through each sink from here, and show what came of it; which of them
    took it is kept, and `forebay check --production` goes by it.

    Parameters
    ----------
    sink
        Only to the sink of this name; may be repeated.
    """
    outcomes = asyncio.run(_test(sink))
    if as_json:
        say_json({name: {"ok": not each.error, "error": each.error} for name, each in outcomes})
    else:
        took = "It took the message."
        rows = [(name, each.error or each.remark or took) for name, each in outcomes]
        say_table(("sink", "what came of it"), rows, empty="No sinks are set: [[alerts.sinks]].")
    return 0 if outcomes and not any(each.error for _, each in outcomes) else 1


@alerts.command
def export(*, as_json: AsJson = False) -> None:
    """Print the rules that a Prometheus can tell from our metrics, as a file of rules for it."""
    from deploy.cli.seeing.prometheus_rules import left_to_us, prometheus_rules
    from shared.alerts.rules import rules_of

    settings = command_settings().alerts
    rules = rules_of(settings)
    file = prometheus_rules(rules, keep_firing_seconds=settings.resolve_after_seconds)
    left = left_to_us(rules)
    if as_json:
        say_json({"file": file, "left_to_forebay": left})
        return
    say(file.rstrip())
    complain(f"No metric tells, so Forebay alone does: {', '.join(left)}.")


class _AlertDesk(NamedTuple):
    settings: Settings
    catalogue: AlertCatalogue


@asynccontextmanager
async def _desk() -> AsyncIterator[_AlertDesk]:
    from shared.alerts.catalogue import AlertCatalogue

    settings = command_settings()
    async with open_ledger(settings) as database:
        yield _AlertDesk(settings, AlertCatalogue(database, SystemClock()))


async def _history(after: str | None, limit: int) -> list[AlertEvent]:
    async with _desk() as desk:
        return await desk.catalogue.history(after=after, limit=limit)


async def _standing(after: str | None, limit: int) -> AlertsStanding:
    from shared.alerts.rules import rules_of

    async with _desk() as desk:
        rules = rules_of(desk.settings.alerts)
        return await desk.catalogue.standing(rules, after=after, limit=limit)


async def _acknowledge(fingerprint: str, by: str) -> Alert:
    async with _desk() as desk:
        return await desk.catalogue.acknowledge(fingerprint, by=by)


async def _silence(matchers: dict[str, str], lasting: timedelta, why: str) -> Silence:
    async with _desk() as desk:
        until = SystemClock().now() + lasting
        by = operating_user().name
        return await desk.catalogue.silence(matchers, until=until, by=by, why=why)


async def _end(silence_id: str) -> None:
    async with _desk() as desk:
        await desk.catalogue.end_silence(silence_id)


async def _test(names: tuple[str, ...]) -> list[tuple[str, SinkOutcome]]:
    from shared.alerts.telling.message import trial_message
    from shared.settings.loading.secrets import with_sink_secrets
    from workers.alerting.sinks.opening import open_sinks

    settings = with_sink_secrets(command_settings().alerts)
    sinks = open_sinks(settings, SystemClock())
    if unknown := [name for name in names if name not in sinks]:
        raise InvalidRequest(f"There is no sink '{unknown[0]}'. {use_one_of(sinks)}.")
    message = trial_message(SystemClock().now())
    body = msgspec.json.encode(message)
    chosen = {name: sink for name, sink in sinks.items() if not names or name in names}
    async with open_ledger(command_settings()) as database:
        outcomes = await asyncio.gather(*(sink.send(message, body) for sink in chosen.values()))
        told = [*zip(chosen, outcomes, strict=True)]
        if told and (act := pending_act.get()) is not None:
            # Whether, and not why: what a command or a server says may hold anything.
            await act.note(database, {TOOK: {name: not each.error for name, each in told}})
    return told


def _matcher(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise InvalidRequest(f"'{text}' is no matcher: write a label and its value, such as rule=*")
    return name, value
