"""`forebay schedule`: jobs that begin by themselves."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from deploy.cli.options import AsJson
from deploy.cli.output import moment, say, say_json, say_table
from deploy.cli.schedule import asking
from deploy.cli.schedule.jobs import batch_job, check_parts, index_job
from deploy.cli.tenants import checked_name

if TYPE_CHECKING:
    from shared.schedules.schedule import ScheduleRun

Owner = Annotated[
    str, Parameter(help="Name of the tenant whose it is, as `forebay tenants list` shows it.")
]

schedule = App(name="schedule", help="Schedules: jobs that begin by themselves, once a time.")


@schedule.command
def add(
    name: str,
    /,
    *,
    tenant: Owner,
    cron: str,
    zone: str = "UTC",
    kind: str = "index",
    folder: Path | None = None,
    into: str | None = None,
    file: str | None = None,
    endpoint: str = "/v1/responses",
    window: str = "24h",
    as_json: AsJson = False,
) -> None:
    """Begin a job at the times of a cron line.

    A time that comes twice in autumn runs once; one that is left out in spring runs as the clock
    moves, 02:30 at 03:00. Times that pass while no worker runs are made up for once, late.

    Parameters
    ----------
    name
        What to call it; one of the tenant's.
    cron
        Minute, hour, day of month, month and day of week, such as '30 2 * * MON-FRI'.
    zone
        The zone of these times, such as Europe/Zurich.
    kind
        `index` for a folder, or `batch` for a file.
    folder
        What to index, as the indexers see it.
    into
        The collection to index into; made where there is none.
    file
        The id of the file to run as a batch, as `forebay files list` shows it.
    endpoint
        What each line of it is a request to.
    window
        By when it is to be answered, such as 24h.
    """
    check_parts(kind, folder=folder, into=into, file=file)
    job = index_job(folder, into) if kind == "index" else batch_job(kind, file, endpoint, window)
    found = asyncio.run(asking.add(checked_name(name), tenant, kind, cron, zone, job, into))
    if as_json:
        say_json(found)
    else:
        say(f"Added: {name}. The first time is {found['next_at'] or 'never'}.")


@schedule.command(name="list")
def list_schedules(*, tenant: Owner, as_json: AsJson = False) -> None:
    """Show a tenant's schedules, when each comes next, and what came of the last time."""
    found = asyncio.run(asking.list_all(tenant))
    if as_json:
        say_json([each | {"last_run": last} for each, last in found])
        return
    rows = [
        (each["name"], each["kind"], each["cron"], each["zone"], each["next_at"], _told(last))
        for each, last in found
    ]
    headings = ("name", "kind", "cron", "zone", "next", "last")
    say_table(headings, rows, empty=f"{tenant} has no schedules.")


@schedule.command
def remove(name: str, /, *, tenant: Owner, as_json: AsJson = False) -> None:
    """Let a schedule begin nothing more; what it has begun goes on."""
    asyncio.run(asking.remove(name, tenant))
    if as_json:
        say_json({"name": name, "removed": True})
    else:
        say(f"Removed: {name}.")


@schedule.command
def run(name: str, /, *, tenant: Owner, as_json: AsJson = False) -> None:
    """Have a schedule begin its job now; a worker does it within seconds."""
    noted = asyncio.run(asking.run(name, tenant))
    if as_json:
        say_json(noted)
    else:
        say(f"Due now: {name}. See: forebay schedule list --tenant {tenant}")


def _told(last: ScheduleRun | None) -> str:
    if last is None:
        return ""
    late = f", {last.late_seconds} s late" if last.late_seconds >= 60 else ""
    return f"{moment(last.due_at)}{late}: {last.result_id or last.error or 'not begun yet'}"
