"""Processes of models: they die, stall and are left alone, and no call gets another's vectors."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import numpy
import pytest

from shared.embeddings.cards import EncoderRole
from shared.embeddings.encoder import EncoderPrompt, EncoderUnavailable
from shared.embeddings.opening import open_encoders
from shared.embeddings.processes.encoder_processes import EncoderProcesses
from shared.settings.indexing.embeddings import EmbeddingSettings
from shared.settings.indexing.encoder import EncoderSettings

LONG = ["many words " * 200] * 32
NICENESS = 3
_STARTER = """
import asyncio, sys
from shared.embeddings.processes.encoder_processes import EncoderProcesses
from shared.embeddings.cards import EncoderRole
from shared.embeddings.encoder import EncoderPrompt
from shared.settings.indexing.embeddings import EmbeddingSettings

async def main():
    processes = EncoderProcesses(EmbeddingSettings(), count=1, niceness=0)
    await processes.encode(EncoderRole.TEXT, ["one"], EncoderPrompt.QUERY, seconds=60)
    texts = ["many words " * 200] * 500
    busy = processes.encode(EncoderRole.TEXT, texts, EncoderPrompt.QUERY, seconds=60)
    running = asyncio.ensure_future(busy)
    await asyncio.sleep(0)
    print(processes.pids[0], flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
async def processes() -> AsyncIterator[EncoderProcesses]:
    processes = EncoderProcesses(EmbeddingSettings(), count=1, niceness=NICENESS)
    yield processes
    await processes.close()


async def encode(processes: EncoderProcesses, *texts: str, seconds: float = 60.0) -> bytes:
    told = await processes.encode(EncoderRole.TEXT, texts, EncoderPrompt.PASSAGE, seconds=seconds)
    return told.vectors


async def test_one_that_is_killed_fails_its_call_and_is_started_again(
    processes: EncoderProcesses,
) -> None:
    before = await encode(processes, "a text")
    (pid,) = processes.pids
    under_way = asyncio.create_task(encode(processes, *LONG))
    await asyncio.sleep(0)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(EncoderUnavailable, match="ended with") as refused:
        await under_way
    assert refused.value.retryable
    assert await encode(processes, "a text") == before
    assert processes.pids != (pid,)


async def test_one_that_takes_too_long_is_ended(processes: EncoderProcesses) -> None:
    before = await encode(processes, "a text")
    (pid,) = processes.pids
    with pytest.raises(EncoderUnavailable, match=r"Raise embeddings\.text\.timeout_seconds"):
        await encode(processes, *LONG, seconds=0.05)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert await encode(processes, "a text") == before


async def test_a_caller_that_leaves_leaves_no_answer_to_the_next(
    processes: EncoderProcesses,
) -> None:
    before = await encode(processes, "a text")
    leaving = asyncio.create_task(encode(processes, *LONG))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await encode(processes, "a text") == before


async def test_it_gives_way_to_others(processes: EncoderProcesses) -> None:
    await encode(processes, "a text")
    (pid,) = processes.pids
    assert os.getpriority(os.PRIO_PROCESS, pid) == os.getpriority(os.PRIO_PROCESS, 0) + NICENESS


async def test_long_batches_leave_no_memory_behind(processes: EncoderProcesses) -> None:
    await encode(processes, *LONG)
    (pid,) = processes.pids
    status = Path(f"/proc/{pid}/status").read_text()
    (peak,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    assert int(peak) < 400_000


def test_it_ends_with_its_starter_in_the_middle_of_a_batch() -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", _STARTER], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    child = os.pidfd_open(pid)
    starter.kill()
    starter.wait()
    poll = select.poll()
    poll.register(child)
    assert poll.poll(60_000), "it still runs"


async def test_a_question_does_not_wait_for_a_whole_job() -> None:
    settings = EmbeddingSettings(text=EncoderSettings(batch_tokens=512))
    async with open_encoders(settings, processes=1) as encoders:
        await encoders.text.warm_up()
        job = asyncio.create_task(encoders.text.encode_many(LONG * 3))
        await asyncio.sleep(0)
        await encoders.text.encode(["a question"], prompt=EncoderPrompt.QUERY)
        assert not job.done()
        many = await job
    assert many.truncated == (True,) * 96


async def test_both_roles_share_the_weights_and_have_names_of_their_own() -> None:
    async with (
        open_encoders(EmbeddingSettings(), processes=1) as beside,
        open_encoders(EmbeddingSettings()) as within,
    ):
        for one, other in zip(beside, within, strict=True):
            assert one.name == other.name
            assert numpy.array_equal(await one.encode(LONG[:1]), await other.encode(LONG[:1]))
        assert beside.text.name != beside.code.name
        assert beside.code.token_limit == 128


async def test_one_model_for_both_is_one_encoder() -> None:
    same = EncoderSettings(token_limit=64)
    async with open_encoders(EmbeddingSettings(text=same, code=same)) as encoders:
        assert encoders.text is encoders.code
