"""Indexing: beside its encoder alone, and what it costs where nothing or little has changed.

On SQLite and the embedded engine, the encoder in one process, with the files of this repository;
`FOREBAY_INDEX_SCALE` times as many of them. Texts of all files at once are encoded somewhat faster
than those of some files at a time, which have fewer of like length.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

import uvloop

from tests.benchmarks.ground.stage import Broker, Ground, Ledger, Stage
from tests.benchmarks.index_bench import UNCHANGED_FILES, open_index_bench
from tests.benchmarks.measurement import Better, Progress, Row

FILES: Final = 60
OF_THE_ENCODER: Final = 0.85
UNCHANGED_CPU_SECONDS: Final = 1.0
FIRST_SECONDS: Final = 5.0
AN_EDIT_EMBEDS: Final = 2
_ON: Final = "SQLite, embedded engine"


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """Texts a second and of the encoder alone; CPU of a scan without changes; an edit's texts."""
    yield from uvloop.run(_measure(stage.ground(Broker.REDIS, Ledger.SQLITE), say))


async def _measure(ground: Ground, say: Progress) -> list[Row]:
    number = int(FILES * float(os.environ.get("FOREBAY_INDEX_SCALE", "1")))
    async with open_index_bench(ground.ledger_url, ground.folder) as bench:
        say(f"indexing {number} files of this repository")
        source = ground.folder / "source"
        texts = await bench.take_files(source, number)
        alone = await bench.encoder_alone(texts)
        whole, embedded = await bench.whole(source)
        say("editing one function")
        edited = await bench.edit(source)
        say(f"scanning {UNCHANGED_FILES:,} files that did not change")
        unchanged, listing = await bench.unchanged(ground.folder / "many")
        say(f"waiting for the first of {UNCHANGED_FILES:,} files")
        first = await bench.first(ground.folder / "many")
    return [
        Row(
            what="indexing beside its encoder alone",
            on=_ON,
            unit="texts/s",
            ours=embedded / whole,
            stock=len(texts) / alone,
            better=Better.HIGHER,
            target=OF_THE_ENCODER,
        ),
        Row(
            what="chunks embedded for an edit of one function",
            on=_ON,
            unit="chunks",
            ours=edited,
            limit=AN_EDIT_EMBEDS,
        ),
        Row(
            what=f"a scan of {UNCHANGED_FILES:,} files without a change, besides the listing",
            on=_ON,
            unit="s CPU",
            ours=unchanged,
            apart={"listing": listing},
            limit=UNCHANGED_CPU_SECONDS,
        ),
        Row(
            what=f"the first of {UNCHANGED_FILES:,} files is indexed",
            on=_ON,
            unit="s",
            ours=first,
            limit=FIRST_SECONDS,
        ),
    ]
