"""`forebay demo`: real messages through a real stack, and what happened."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from deploy.cli.demo.screen import Screen
from deploy.cli.options import AsJson
from deploy.cli.output import as_typed, complain, say_json, say_table
from shared.errors import InvalidRequest

if TYPE_CHECKING:
    from deploy.cli.demo.scene import Scene


def demo(
    *,
    only: tuple[str, ...] = (),
    index: tuple[str, ...] = (),
    list_scenes: Annotated[bool, Parameter(name="--list")] = False,
    record: Path | None = None,
    as_json: AsJson = False,
) -> int:
    """Start a stack of its own, send real messages through it and show what happened.

    Redis, the ledger, the queue, the door, the workers and Flower are the real ones; the models
    are scripted providers that echo, lie and fail when a scene wants them to, at made-up prices.
    Each scene says what it spent, and what it would have cost more without what it shows.
    The exit code is 1 when anything did not go as it should.

    Parameters
    ----------
    only
        Play this scene; may be given more than once.
    index
        A folder of Forebay's repository that the scenes of the index read, instead of docs and
        shared; may be given more than once. A smaller one takes less time.
    list_scenes
        Say what the scenes are called and what each shows, and play none.
    record
        Write what is shown into this file too, as a moving picture (SVG), three times as fast.
    """
    from deploy.cli.demo.programme import SCENES, scenes_named

    scenes = scenes_named(only) if only else SCENES
    if list_scenes:
        _list(scenes, as_json=as_json)
        return 0
    from deploy.cli.demo.scenes.index.library import shelves_named

    shelves = shelves_named(index)
    screen = Screen(as_json=as_json, record_into=_writable(record))
    with tempfile.TemporaryDirectory(prefix="forebay-demo-") as folder:
        return asyncio.run(_demo(Path(folder).resolve(), scenes, shelves, screen))


def _writable(file: Path | None) -> Path | None:
    """Found out before minutes are spent on it; raises InvalidRequest."""
    if file is not None:
        try:
            file.touch()
        except OSError as error:
            raise InvalidRequest(f"--record {file}: {error.strerror}. Name another.") from error
    return file


def _list(scenes: Sequence[Scene], *, as_json: bool) -> None:
    from deploy.cli.demo.scene import about, name_of

    if as_json:
        say_json([name_of(scene) for scene in scenes])
    else:
        rows = [(name_of(scene), about(scene)) for scene in scenes]
        say_table(("scene", "what it shows"), rows, empty="There are no scenes.")


async def _demo(
    folder: Path, scenes: Sequence[Scene], shelves: tuple[str, ...], screen: Screen
) -> int:
    from deploy.embedded.interruption import until_interrupted

    went_well: list[bool] = []

    async def play() -> None:
        went_well.append(await _play(folder, scenes, shelves, screen))

    if await until_interrupted(play(), report=complain):
        raise KeyboardInterrupt
    return 0 if went_well == [True] else 1


async def _play(
    folder: Path, scenes: Sequence[Scene], shelves: tuple[str, ...], screen: Screen
) -> bool:
    from deploy.cli.demo.play import play_all
    from deploy.cli.demo.stage import open_stage

    note = screen.note
    began = time.monotonic()
    note("The models in this demo are scripted: they echo, lie and fail on demand, at made-up")
    note("prices. Everything else is real, and so is the small model that answers without a key.")
    note("Starting Redis, the ledger, the door, two workers, an indexer, Flower ...")
    opening = open_stage(folder, report=lambda text: note(f"  ({text})"), shelves=shelves)
    async with opening as stage:
        note(f"Ready in {time.monotonic() - began:.1f} s at {stage.state.url}.\n")
        went_well = await play_all(stage, scenes, show=screen.show)
        note("\nStopping ...")
    seconds = time.monotonic() - began
    note(f"{seconds:.1f} s in all, start and stop included. Try it yourself: {as_typed()} up")
    screen.close()
    return went_well
