"""A message with a large image keeps nobody else waiting, a new image or one that is there."""

from __future__ import annotations

from base64 import b64encode
from os import urandom
from struct import pack
from typing import Any

import aiohttp

from tests.integration.ingress.conftest import patient, settings_for
from tests.integration.ingress.new_key import new_key
from tests.integration.patience import PatientSettings

from .test_large_files import HOLD_SECONDS, WatchedDoor

IMAGE_BYTES = 6_000_000
"""Eight million characters of base64."""


async def test_no_turn_of_the_loop_is_long_for_an_image_of_8_mb(
    migrated_ledger_url: str, redis_url: str, patience: PatientSettings
) -> None:
    settings = patient(settings_for(migrated_ledger_url, redis_url))
    key = await new_key(settings.ledger)
    first = large_image()
    with WatchedDoor(settings) as door:
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as client:

            async def post(image: dict[str, Any]) -> float:
                body = {"background": True, "input": [{"role": "user", "content": [image]}]}
                door.longest = 0.0
                async with client.post(f"{door.url}/v1/responses", json=body) as answer:
                    assert answer.status == 200, await answer.text()
                return door.longest

            await post(first)  # what happens once for each process
            # What only one of them takes longer for is another's.
            assert 0 < min([await post(large_image()) for _ in range(3)]) < HOLD_SECONDS
            assert 0 < min([await post(first) for _ in range(3)]) < HOLD_SECONDS


def large_image() -> dict[str, Any]:
    chunks = ((b"IHDR", bytes(13)), (b"IDAT", urandom(IMAGE_BYTES)), (b"IEND", b""))
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        pack(">I", len(content)) + kind + content + b"sum." for kind, content in chunks
    )
    url = f"data:image/png;base64,{b64encode(png).decode()}"
    return {"type": "input_image", "image_url": url}
