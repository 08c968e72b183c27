"""What a schedule may begin, as it is typed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from shared.errors import InvalidRequest

if TYPE_CHECKING:
    from shared.schedules.schedule import ScheduledJob


def check_parts(kind: str, **given: object) -> None:
    """Raises InvalidRequest for an option that another kind of job has."""
    others = {"index": ("file",), "batch": ("folder", "into")}.get(kind, ())
    for name in others:
        if given[name] is not None:
            raise InvalidRequest(f"--kind {kind} takes no --{name}. Leave --{name} out.")


def index_job(folder: Path | None, into: str | None) -> ScheduledJob:
    """A folder into a collection; raises InvalidRequest."""
    from indexer.sources.opening import source_name
    from shared.schedules.schedule import ScheduledJob

    if folder is None or into is None:
        raise InvalidRequest("An index job needs --folder and --into: what to index, and where.")
    return ScheduledJob(source=source_name(folder.absolute()))


def batch_job(kind: str, file: str | None, endpoint: str, window: str) -> ScheduledJob:
    """A file as a batch; raises InvalidRequest."""
    from msgspec.json import encode

    from ingress.api.batches.create_batch import decode_create_batch
    from ingress.api.batches.window import window_seconds
    from shared.schedules.schedule import ScheduledJob

    if kind == "evaluation":
        raise InvalidRequest(
            "Evaluations cannot be scheduled: `forebay eval search` reads questions that lie on "
            "the machine it is typed on. Let that machine's own cron type it."
        )
    if kind != "batch":
        raise InvalidRequest(f"--kind cannot be '{kind}': write index or batch.")
    if file is None:
        raise InvalidRequest("A batch needs --file: the id of its input.")
    asked = {"input_file_id": file, "endpoint": endpoint, "completion_window": window}
    if faults := decode_create_batch(encode(asked)).faults():
        raise InvalidRequest(faults[0].message, param=faults[0].param)
    seconds = window_seconds(window)
    return ScheduledJob(file_id=file, endpoint=endpoint, window_seconds=seconds)
