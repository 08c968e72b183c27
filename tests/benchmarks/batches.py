"""Batches on their way into the ledger: beside plain group commits of the same messages, and their
validation beside reading and decoding the file alone.

What a worker's process holds meanwhile is looked at with a batch and with one five times as large:
with `SCALE=full` of 50,000 lines.
"""

from __future__ import annotations

import asyncio
import gc
import os
import time
import tracemalloc
from collections.abc import Iterator
from typing import Final

import msgspec

from shared.batches.batch import Batch
from shared.clock import ManualClock, SystemClock
from shared.identifiers import new_response_id
from shared.persistence.engine import open_database
from shared.persistence.ledger.accepting import AcceptGroup
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from tests.benchmarks.ground.stage import Broker, Ground, Ledger, Stage
from tests.benchmarks.measurement import Better, Progress, Rounds, Row
from tests.integration.batches.bench import Bench, chat
from workers.batching.input_lines import LinesOfInput
from workers.batching.validation import validate

_IS_FULL: Final = os.environ.get("SCALE") == "full"
LINES: Final = 10_000 if _IS_FULL else 4_000
MANY: Final = 50_000 if _IS_FULL else 10_000
ROUNDS: Final = 3
GROUP: Final = 200
SHARE: Final = 0.5
FLAT: Final = 1.1
_MEBIBYTE: Final = 1_048_576


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """Rates on both databases, and memory."""
    for ledger in Ledger:
        say(f"{LINES:,} lines of a batch on {ledger}")
        found = asyncio.run(_rates(stage.ground(Broker.REDIS, ledger)))
        yield Row(
            what="lines of a batch made messages (stock: the same messages in plain groups)",
            on=ledger,
            unit="/s",
            ours=found["expanded"],
            stock=found["plain"],
            better=Better.HIGHER,
            target=SHARE,
        )
        yield Row(
            what="lines validated (stock: read and decoded)",
            on=ledger,
            unit="/s",
            ours=found["validated"],
            stock=found["decoded"],
            better=Better.HIGHER,
            target=SHARE,
        )
    say(f"memory over {MANY:,} lines")
    few, many = asyncio.run(_memory(stage.ground(Broker.REDIS, Ledger.SQLITE)))
    yield Row(
        what=f"memory for {MANY:,} lines (stock: {MANY // 5:,})",
        on=Ledger.SQLITE,
        unit="MiB",
        ours=many / _MEBIBYTE,
        stock=few / _MEBIBYTE,
        target=FLAT,
    )


async def _rates(ground: Ground) -> Rounds:
    bench, found = _bench(ground), Rounds()
    accepting = AcceptGroup(bench.database, wake_after_seconds=60)
    for number in range(ROUNDS + 1):
        of = await _asked(bench, LINES, f"round {number}")
        validated, decoded = await _seconds_to_validate(bench, of), await _to_decode(bench, of)
        begun = time.perf_counter()
        bench.sent.records.clear()
        await bench.expander.step(await bench.now(of))
        while (await bench.now(of)).expanded_at is None:
            await bench.expander.step(await bench.now(of))
        expanded = time.perf_counter() - begun
        same = [msgspec.structs.replace(each, id=new_response_id()) for each in bench.sent.records]
        assert len(same) == LINES
        begun = time.perf_counter()
        for start in range(0, LINES, GROUP):
            await accepting.flush(same[start : start + GROUP])
        plain = time.perf_counter() - begun
        if number:  # the first loads and connects
            found.add(
                expanded=LINES / expanded,
                plain=LINES / plain,
                validated=LINES / validated,
                decoded=LINES / decoded,
            )
    await bench.database.close()
    return found


async def _seconds_to_validate(bench: Bench, of: Batch) -> float:
    begun = time.perf_counter()
    await validate(of, bench.store)
    seconds = time.perf_counter() - begun
    await bench.expander.step(of)
    return seconds


async def _to_decode(bench: Bench, of: Batch) -> float:
    begun = time.perf_counter()
    async for line in LinesOfInput(bench.store, of.content_id, of.input_bytes).behind():
        msgspec.json.decode(line.text or b"")
    return time.perf_counter() - begun


async def _memory(ground: Ground) -> tuple[int, int]:
    bench = _bench(ground)
    bench.sent.keeps = False
    await _peak(bench, 1_000)  # what is loaded once
    peaks = [await _peak(bench, lines) for lines in (MANY // 5, MANY)]
    await bench.database.close()
    return peaks[0], peaks[1]


async def _peak(bench: Bench, lines: int) -> int:
    of = await _asked(bench, lines, f"{lines}")
    await bench.expander.step(of)
    gc.collect()
    tracemalloc.start()
    await bench.expander()
    _, highest = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return highest


async def _asked(bench: Bench, lines: int, name: str) -> Batch:
    told = "What is a forebay, and what is it good for? " * 4
    content = b"".join(chat(n, f"{name}, {n}: {told}") + b"\n" for n in range(lines))
    return await bench.ask(content)


def _bench(ground: Ground) -> Bench:
    settings = LedgerSettings(url=ServerUrl(ground.ledger_url), timeout_seconds=120)
    return Bench(open_database(settings), ManualClock(SystemClock().now()))
