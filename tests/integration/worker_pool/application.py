"""The Celery application that the pool's tests run in a worker process.

Environment: POOL_BROKER its broker, POOL_FACTS a file to which it appends what happened, one
`what id` a line; POOL_FAIL_LIFESPAN, POOL_FALLING_LIFESPAN, POOL_SOFT_SHUTDOWN, POOL_HOOK,
POOL_BUNDLES as named.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from celery import Celery, Task
from celery.exceptions import Reject, SoftTimeLimitExceeded
from kombu import Exchange, Queue

from shared.pool.installation import install_asyncio_pool
from shared.queueing.dead_letters.letter import Letter
from shared.queueing.parcel import Parcel
from shared.queueing.parcels import build_parcel_publisher
from shared.queueing.reading.patience import until_available
from shared.settings.secret import ServerUrl
from shared.settings.servers import BrokerSettings

RESULTS = os.environ.get("POOL_RESULTS")
FOUR = threading.Barrier(4)


def note(what: str, about: object = "-") -> None:
    """Append one fact; a single short write in append mode is atomic."""
    line = f"{what} {about}\n".encode()
    descriptor = os.open(os.environ["POOL_FACTS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, line)
    os.close(descriptor)


app = Celery("pool-tests", broker=os.environ.get("POOL_BROKER"), backend=RESULTS)
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=RESULTS is None,
    task_default_queue="pool",
    task_default_queue_type=os.environ.get("POOL_QUEUE_TYPE", "classic"),
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_soft_shutdown_timeout=float(os.environ.get("POOL_SOFT_SHUTDOWN", "0")),
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_enable_prefetch_count_reduction=False,
    broker_connection_retry_on_startup=True,
    broker_heartbeat=10,
    broker_connection_timeout=30,
    broker_transport_options=(
        {
            "visibility_timeout": 3600,
            "socket_timeout": 30,
            "unacked_restore_interval": 1,
            "unacked_restore_throttle": 1,
        }
        if os.environ.get("POOL_BROKER", "").startswith("redis")
        else {}
    ),
)
if os.environ.get("POOL_DEAD_LETTERS"):
    app.conf.task_queues = [
        Queue(
            "pool",
            Exchange("pool"),
            "pool",
            queue_arguments={"x-dead-letter-exchange": os.environ["POOL_DEAD_LETTERS"]},
        )
    ]
install_asyncio_pool(app)


@asynccontextmanager
async def lifespan() -> AsyncIterator[None]:
    if os.environ.get("POOL_FAIL_LIFESPAN"):
        raise ConnectionError("the ledger is away")
    note("opened")
    async with asyncio.TaskGroup() as group:
        if os.environ.get("POOL_FALLING_LIFESPAN"):
            group.create_task(fall())
        yield
    note("closed")


async def fall() -> None:
    """Fail as soon as a task runs."""
    while not os.path.exists(os.environ["POOL_FALLING_LIFESPAN"]):  # noqa: ASYNC110 - a file
        await asyncio.sleep(0.05)
    raise RuntimeError("a part of the lifespan fell over")


app.lifespan = lifespan
if os.environ.get("POOL_HOOK"):

    async def on_poison(letter: Letter) -> None:
        note("buried", f"{letter.reason} {len(letter.body)} {letter.detail}")

    app.on_poison = on_poison
if os.environ.get("POOL_BUNDLES"):

    async def publish_alone(parcels: Sequence[Parcel]) -> None:
        if os.environ["POOL_BUNDLES"] == "refused":
            note("refused", len(parcels))
            raise ValueError("a header of another kind than AMQP knows")
        broker = ServerUrl(os.environ["POOL_BROKER"])
        publisher = build_parcel_publisher(BrokerSettings(url=broker, publish_timeout_seconds=30))
        await publisher.start()
        send = publisher.send
        await asyncio.gather(*[until_available(partial(send, parcel)) for parcel in parcels])
        await publisher.close()
        note("alone", len(parcels))

    app.publish_alone = publish_alone


@app.task(bind=True)
async def nap(self: Task[..., None], seconds: float) -> None:
    """Sleep; note when it begins, ends or is cancelled, under its own id."""
    note("began", self.request.id)
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        note("cancelled", self.request.id)
        raise
    note("ended", self.request.id)


@app.task(bind=True)
async def held(self: Task[..., None], gate: str) -> None:
    """Go on until the file `gate` exists; note the same as a nap."""
    note("began", self.request.id)
    try:
        while not os.path.exists(gate):  # noqa: ASYNC110 - a file
            await asyncio.sleep(0.02)
    except asyncio.CancelledError:
        note("cancelled", self.request.id)
        raise
    note("ended", self.request.id)


@app.task(bind=True)
async def identify(self: Task[..., None], label: str) -> None:
    """Note whether the request is still one's own after others have run, in a child too."""
    await asyncio.sleep(0.05)
    child = asyncio.create_task(asyncio.sleep(0, result=self.request.id))
    mine = {self.request.args[0], app.current_task.request.args[0], label}
    note("identified", len(mine) == 1 and await child == self.request.id)


@app.task
async def empty() -> None:
    """Do nothing."""


@app.task(rate_limit="2/s")
async def rationed() -> None:
    """Note when it runs."""
    note("rationed", time.monotonic())


@app.task(bind=True)
async def fail(self: Task[..., None]) -> None:
    raise ValueError("as asked")


@app.task(bind=True)
async def leave(self: Task[..., None]) -> None:
    raise SystemExit(3)


@app.task(bind=True)
async def give_back(self: Task[..., None]) -> None:
    """Reject the message once, so that it is delivered again."""
    note("delivered", self.request.id)
    if not self.request.delivery_info["redelivered"]:
        raise Reject("once more", requeue=True)
    note("accepted", self.request.id)


@app.task(bind=True)
def plain(self: Task[..., None]) -> None:
    """A task that is no coroutine, and blocks its thread until four of them do."""
    FOUR.wait(timeout=60)
    note("plain", self.request.id)


@app.task(bind=True)
async def limited(self: Task[..., None], seconds: float) -> None:
    """Sleep, and note when the soft limit interrupts it."""
    note("began", self.request.id)
    try:
        await asyncio.sleep(seconds)
    except SoftTimeLimitExceeded:
        note("softly", self.request.id)
        raise
    except asyncio.CancelledError:
        note("hard", self.request.id)
        raise
