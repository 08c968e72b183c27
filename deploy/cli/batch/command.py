"""`forebay batch`: have a file of requests answered, follow it, fetch its results."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

from cyclopts import App, Parameter

from deploy.cli.batch.asking import ask_door
from deploy.cli.batch.showing import is_ended, show_batch, show_batches
from deploy.cli.options import AsJson, Limit
from deploy.cli.output import complain, counted, one_line, say, say_json
from shared.errors import InvalidRequest

if TYPE_CHECKING:
    from deploy.cli.batch.door import BatchesOfDoor

BatchId = Annotated[str, Parameter(help="Its id, as `forebay batch list` shows it.")]
Url = Annotated[str | None, Parameter(help="The door, such as http://127.0.0.1:8080.")]
Key = Annotated[
    str | None,
    Parameter(help="The API key. The environment is the better place for it: `ps` shows this."),
]

batch = App(
    name="batch",
    help="Files of requests that are answered by a deadline.\n\nWhere to: --url and --key, else "
    "FOREBAY_URL and FOREBAY_API_KEY, else the stack that `forebay up` runs in this folder.",
)


@batch.command
def submit(
    file: Path,
    /,
    *,
    endpoint: str = "/v1/responses",
    window: str = "24h",
    watch: bool = False,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> int:
    """Upload a file of requests and ask for its batch.

    Parameters
    ----------
    file
        JSONL: each line has custom_id, method, url and body, as OpenAI's batches do.
    endpoint
        What each line is a request to.
    window
        In how much time it is to be answered: 24h, or shorter, such as 1h or 30m.
    watch
        Follow it to its end.
    """

    async def submitted(door: BatchesOfDoor) -> dict[str, Any]:
        made = await door.create(await door.upload(file), endpoint=endpoint, window=window)
        return await _watched(door, made["id"], as_json=as_json) if watch else made

    return _shown(ask_door(submitted, url, key), as_json=as_json and not watch, is_quiet=as_json)


@batch.command
def status(
    batch_id: BatchId, /, *, url: Url = None, key: Key = None, as_json: AsJson = False
) -> int:
    """Show how far a batch is, what it costs, and which of its lines are wrong."""
    found = ask_door(lambda door: door.find(batch_id), url, key)
    return _shown(found, as_json=as_json, is_quiet=as_json)


@batch.command
def watch(
    batch_id: BatchId, /, *, url: Url = None, key: Key = None, as_json: AsJson = False
) -> int:
    """Follow a batch to its end. With --json each change is a line."""
    ended = ask_door(lambda door: _watched(door, batch_id, as_json=as_json), url, key)
    return _shown(ended, as_json=False, is_quiet=as_json)


@batch.command
def results(
    batch_id: BatchId,
    /,
    *,
    errors: bool = False,
    out: Path | None = None,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Write the lines that have been answered by now, while a batch runs too; each is JSON.

    Parameters
    ----------
    errors
        Those that ended without an answer instead.
    out
        The file to write; standard output when not given.
    """

    async def saved(door: BatchesOfDoor) -> tuple[int, dict[str, Any]]:
        kind = "errors" if errors else "output"
        # Asked first: a batch that is not there overwrites no file, and one that ends while its
        # lines are sent may have more of them than were.
        known = await door.find(batch_id)
        if out is None:
            return await door.save(batch_id, kind, sys.stdout.buffer), known
        with _opened(out) as file:
            return await door.save(batch_id, kind, file), known

    lines, found = ask_door(saved, url, key)
    sys.stdout.flush()
    if out is not None and as_json:
        say_json({"id": batch_id, "status": found["status"], "lines": lines, "out": str(out)})
    elif out is not None:
        say(f"{counted(lines, 'line')} written to {out}.")
    if not is_ended(found):
        complain(f"The batch is {found['status']}: more may come.")


@batch.command
def cancel(
    batch_id: BatchId,
    /,
    *,
    line: str | None = None,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Begin nothing more of a batch, or cancel one line of it; what has been answered is in its
    results.

    Parameters
    ----------
    line
        The custom_id of the one line to cancel; the others go on.
    """

    async def cancelled(door: BatchesOfDoor) -> dict[str, Any]:
        return await (door.cancel(batch_id) if line is None else door.cancel_line(batch_id, line))

    found = ask_door(cancelled, url, key)
    if as_json:
        say_json(found)
    elif line is None:
        say(f"{found['id']}: {found['status']}.")
    else:
        say(f"{found['id']}: line {one_line(line)} is cancelled, the others go on.")


@batch.command(name="list")
def list_batches(
    *, limit: Limit = 20, url: Url = None, key: Key = None, as_json: AsJson = False
) -> None:
    """Show batches, the newest first."""

    async def listed(door: BatchesOfDoor) -> list[dict[str, Any]]:
        return await door.newest(limit)

    found = ask_door(listed, url, key)
    if as_json:
        say_json(found)
    else:
        show_batches(found)


async def _watched(door: BatchesOfDoor, batch_id: str, *, as_json: bool) -> dict[str, Any]:
    from deploy.cli.batch.watching import watch_batch

    return await watch_batch(door, batch_id, as_json=as_json)


def _shown(found: dict[str, Any], *, as_json: bool, is_quiet: bool) -> int:
    """The exit code: 1 for a batch that has failed, or ended before its lines did."""
    if as_json:
        say_json(found)
    elif not is_quiet:
        show_batch(found)
    return 0 if found["status"] == "completed" or not is_ended(found) else 1


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("wb")
    except OSError as error:
        raise InvalidRequest(
            f"{path} cannot be written: {error.strerror}. Check the path."
        ) from error
