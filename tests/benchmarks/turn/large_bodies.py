"""What a body of 8 MB costs the door, an image in base64, and how long it keeps others waiting.

The image is a new one each time, and then the same one again and again, as agents send it that
keep their history themselves. Beside it the same door with a body of 1 KB. The wait is that of a
caller of `/livez` who asks again and again meanwhile, so it holds the network and the two cores'
other work too.
"""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from os import urandom
from statistics import median
from struct import pack
from threading import Event, Thread
from typing import Final

from tests.benchmarks.ground.forebay import create_key, door
from tests.benchmarks.ground.program import Program, metered
from tests.benchmarks.ground.stage import Broker, Ground, Ledger, Stage
from tests.benchmarks.measurement import Progress, Row

IMAGE_BYTES: Final = 6_000_000
BODIES: Final = 20
LEDGERS: Final = (Ledger.POSTGRES, Ledger.SQLITE)


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """CPU of the door's process for each body, user and system, and the longest wait beside it."""
    one = _image(IMAGE_BYTES)
    for ledger in LEDGERS:
        say(f"bodies of 8 MB on {ledger}")
        ground = stage.ground(Broker.REDIS, ledger)
        key = create_key(ground)
        with door(ground) as program:
            program.wait_until(ground.is_served, "open door")
            images = (lambda: None, lambda: _image(IMAGE_BYTES), lambda: one)
            found = [_spent(ground, key, program, image) for image in images]
        (small, idle, soon), *others = found
        for name, (cpu, wait, answered) in zip(("a new image", "one it has"), others, strict=True):
            on = f"{ledger}, {name}"
            yield Row(
                what="door, CPU a body of 8 MB (stock: of 1 KB)",
                on=on,
                unit="ms",
                ours=cpu,
                stock=small,
            )
            yield Row(
                what="door, until it is accepted", on=on, unit="ms", ours=answered, stock=soon
            )
            yield Row(
                what="door, longest wait of others beside it",
                on=on,
                unit="ms",
                ours=wait,
                stock=idle,
            )


def _spent(
    ground: Ground, key: str, program: Program, image: Callable[[], str | None]
) -> tuple[float, float, float]:
    """Milliseconds of the processor, of the longest wait beside it, and until the answer."""
    _post(ground, key, image())
    waits = []
    with metered(program) as cpu:
        took = [_post(ground, key, image()) for _ in range(BODIES)]
    for _ in range(BODIES):
        told = image()
        with _asking(ground) as heard:
            _post(ground, key, told)
        waits.append(max(heard))
    return cpu.seconds / BODIES * 1e3, median(waits) * 1e3, median(took) * 1e3


def _post(ground: Ground, key: str, image: str | None) -> float:
    """Seconds from the request's first byte until its answer."""
    content = [{"type": "input_text", "text": "What is this? " * 30}]
    if image:
        content.append({"type": "input_image", "image_url": image})
    asked = {"background": True, "input": [{"role": "user", "content": content}]}
    connection = HTTPConnection("127.0.0.1", ground.port, timeout=30)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    body = json.dumps(asked).encode()
    connection.connect()
    began = time.monotonic()
    connection.request("POST", "/v1/responses", body, headers)
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    answer.read()
    took = time.monotonic() - began
    connection.close()
    return took


def _image(size: int) -> str:
    chunks = ((b"IHDR", bytes(13)), (b"IDAT", urandom(size)), (b"IEND", b""))
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        pack(">I", len(content)) + kind + content + b"sum." for kind, content in chunks
    )
    return f"data:image/png;base64,{b64encode(png).decode()}"


@contextmanager
def _asking(ground: Ground) -> Iterator[list[float]]:
    """How long each answer of `/livez` took, in seconds, asked one after the other meanwhile."""
    heard, done = [0.0], Event()

    def ask() -> None:
        connection = HTTPConnection("127.0.0.1", ground.port, timeout=30)
        while not done.is_set():
            began = time.monotonic()
            connection.request("GET", "/livez")
            connection.getresponse().read()
            heard.append(time.monotonic() - began)
        connection.close()

    asking = Thread(target=ask)
    asking.start()
    try:
        yield heard
    finally:
        done.set()
        asking.join()
