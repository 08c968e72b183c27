"""`forebay demo`: real messages through a real stack, and what happened."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from deploy.cli.options import AsJson
from deploy.cli.output import as_typed, complain, say, say_json, say_table

if TYPE_CHECKING:
    from deploy.cli.demo.play import Played
    from deploy.cli.demo.scene import Scene


def demo(
    *,
    only: tuple[str, ...] = (),
    index: tuple[str, ...] = (),
    list_scenes: Annotated[bool, Parameter(name="--list")] = False,
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
    """
    from deploy.cli.demo.programme import SCENES, scenes_named

    scenes = scenes_named(only) if only else SCENES
    if list_scenes:
        _list(scenes, as_json=as_json)
        return 0
    from deploy.cli.demo.scenes.index.library import shelves_named

    shelves = shelves_named(index)
    with tempfile.TemporaryDirectory(prefix="forebay-demo-") as folder:
        return asyncio.run(_demo(Path(folder).resolve(), scenes, shelves, as_json=as_json))


def _list(scenes: Sequence[Scene], *, as_json: bool) -> None:
    from deploy.cli.demo.scene import about, name_of

    if as_json:
        say_json([name_of(scene) for scene in scenes])
    else:
        rows = [(name_of(scene), about(scene)) for scene in scenes]
        say_table(("scene", "what it shows"), rows, empty="There are no scenes.")


async def _demo(
    folder: Path, scenes: Sequence[Scene], shelves: tuple[str, ...], *, as_json: bool
) -> int:
    from deploy.embedded.interruption import until_interrupted

    went_well: list[bool] = []

    async def play() -> None:
        went_well.append(await _play(folder, scenes, shelves, as_json=as_json))

    if await until_interrupted(play(), report=complain):
        raise KeyboardInterrupt
    return 0 if went_well == [True] else 1


async def _play(
    folder: Path, scenes: Sequence[Scene], shelves: tuple[str, ...], *, as_json: bool
) -> bool:
    from deploy.cli.demo.play import play_all
    from deploy.cli.demo.stage import open_stage

    def note(text: str) -> None:
        if not as_json:
            say(text)

    began = time.monotonic()
    note("The models in this demo are scripted: they echo, lie and fail on demand, at made-up")
    note("prices. Everything else is real, and so is the small model that answers without a key.")
    note("Starting Redis, the ledger, the door, two workers, an indexer, Flower ...")
    opening = open_stage(folder, report=lambda text: note(f"  ({text})"), shelves=shelves)
    async with opening as stage:
        note(f"Ready in {time.monotonic() - began:.1f} s at {stage.state.url}.\n")
        went_well = await play_all(stage, scenes, show=_show_json if as_json else _show)
        note("\nStopping ...")
    seconds = time.monotonic() - began
    note(f"{seconds:.1f} s in all, start and stop included. Try it yourself: {as_typed()} up")
    return went_well


def _show_json(played: Played) -> None:
    say_json(played.flat())


def _show(played: Played) -> None:
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    from deploy.cli.demo.dollars import price_tag

    sign, style = ("✓", "green") if played.ok else ("✗", "bold red")
    line = Text.assemble(
        (f"{sign} ", style),
        (f"{played.scene:<24}", "bold"),
        (f"{played.seconds:5.1f} s   ", "dim"),
        f"spent {price_tag(played.spent)}, saved {price_tag(played.saved)}",
    )
    console = Console(highlight=False)
    console.print(line)
    told = Text(played.told, style="" if played.ok else "red")
    console.print(Padding(told, (0, 0, 0, 2), expand=False))
