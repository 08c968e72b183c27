"""`forebay index`: a folder or a checkout into a collection."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from deploy.cli.index.tenant import Tenant, open_index
from deploy.cli.options import AsJson
from deploy.cli.output import as_typed, counted, say, say_json, say_table
from shared.errors import InvalidRequest

if TYPE_CHECKING:
    from deploy.cli.index.following import Ended


def index(
    path: Path,
    /,
    *,
    collection: str | None = None,
    tenant: Tenant = None,
    wait: Annotated[bool, Parameter(negative="--no-wait")] = True,
    watch: bool = False,
    dry_run: bool = False,
    remove_anyway: bool = False,
    as_json: AsJson = False,
) -> int:
    """Index a folder, or a checkout of git, and keep its collection like it.

    Only what is new or changed is read, and no text is embedded twice. Indexers do the work; they
    go on when this command ends, and typing it again goes on where they are. The exit code is 1
    when the job failed.

    Parameters
    ----------
    path
        The folder. Its indexers must find it under the same path.
    collection
        The collection's name or id; one is made where there is none of that name. The folder's
        name when not given.
    wait
        Return when all is indexed; with --no-wait at once.
    watch
        Go on until Ctrl-C: whatever changes in the folder is indexed.
    dry_run
        Say what would be done, and do nothing.
    remove_anyway
        Remove what is missing even where half of the files or more are gone.
    """
    root = _folder(path)
    if watch and (dry_run or not wait):
        raise InvalidRequest("--watch waits for its indexers: give it without the others.")
    if collection == "":
        raise InvalidRequest("--collection has no name: give one, or leave it out.")
    wanted = collection or root.name
    if dry_run:
        return asyncio.run(_dry_run(root, wanted, tenant, as_json=as_json))
    if watch:
        return asyncio.run(_watch(root, wanted, tenant, as_json=as_json))
    work = _index(root, wanted, tenant, remove_anyway=remove_anyway, wait=wait, as_json=as_json)
    return asyncio.run(work)


def _folder(path: Path) -> Path:
    root = path.absolute()
    if not root.is_dir():
        what = "is no folder" if root.exists() else "does not exist"
        raise InvalidRequest(f"{path} {what}: give a folder, such as forebay index docs.")
    return root.resolve()


async def _index(
    root: Path,
    wanted: str,
    tenant: str | None,
    *,
    remove_anyway: bool,
    wait: bool,
    as_json: bool,
) -> int:
    from deploy.cli.index.asking import open_indexing
    from deploy.cli.index.following import follow, plain_job

    async with open_indexing(tenant) as asking:
        into = await asking.collection(wanted)
        job = await asking.begin(root, into, remove_anyway=remove_anyway)
        if wait:
            return _tell(await follow(asking.jobs, job, quietly=as_json), as_json=as_json)
        progress = (await asking.jobs.progress(job.tenant_id, [job.id]))[job.id]
    if as_json:
        say_json(plain_job(job, progress))
    else:
        say(f"Indexing {root} into {into.name}. See: {as_typed()} jobs show {job.id}")
    return 0


async def _watch(root: Path, wanted: str, tenant: str | None, *, as_json: bool) -> int:
    from deploy.cli.index.asking import open_indexing
    from deploy.cli.index.following import follow
    from deploy.cli.index.watching import changes_of

    async with open_indexing(tenant) as asking:
        into = await asking.collection(wanted)
        async for _ in changes_of(root, limit_bytes=asking.settings.index.file_limit_bytes):
            job = await asking.begin(root, into, remove_anyway=False)
            _tell(await follow(asking.jobs, job, quietly=as_json), as_json=as_json)
    return 0


def _tell(ended: Ended, *, as_json: bool) -> int:
    from shared.index.states import JobState

    if as_json:
        say_json(ended.plain())
    else:
        say(ended.sentence())
        if ended.job.skipped or ended.progress.skipped or ended.progress.failed:
            say(f"What was left out, and why: {as_typed()} jobs show {ended.job.id}")
    return 0 if ended.job.state is JobState.COMPLETED else 1


async def _dry_run(root: Path, wanted: str, tenant: str | None, *, as_json: bool) -> int:
    from msgspec import to_builtins

    from deploy.cli.index.dry_run import DryRun

    async with open_index(tenant) as (database, settings, tenant_id):
        dry = DryRun(database, tenant_id, limit_bytes=settings.index.file_limit_bytes)
        forecast = await dry.of(root, wanted)
    if as_json:
        say_json(to_builtins(forecast))
        return 0
    say(
        f"{counted(forecast.found, 'file')} found: {len(forecast.new):,} new, "
        f"{len(forecast.other):,} changed, {forecast.removed:,} gone, "
        f"{forecast.skipped:,} skipped. Nothing was done."
    )
    if forecast.held_back:
        say(
            f"{counted(forecast.held_back, 'missing document')} would be kept, since half of the "
            "files or more are gone: --remove-anyway removes them."
        )
    rows = [("new", path, "") for path in forecast.new]
    rows += [("changed", path, "") for path in forecast.other]
    rows += [("gone", path, "") for path in forecast.gone]
    rows += [(each.reason, each.path, each.why) for each in forecast.left_out]
    if rows:
        say_table(("what", "path", "why"), rows, empty="")
    return 0
