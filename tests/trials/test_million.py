"""A million messages: `MESSAGES=20000 python -m pytest -s tests/trials/test_million.py`."""

from __future__ import annotations

import os
from typing import Final

import msgspec
import pytest

from tests.benchmarks.ground.stage import Broker, Stage
from tests.trials.million.__main__ import run

pytestmark = pytest.mark.timeout(0)
MESSAGES: Final = int(os.environ.get("MESSAGES", "1000000"))


def test_of_a_million_messages_none_is_lost_and_none_is_answered_twice() -> None:
    with Stage() as stage:
        done = run(stage, stage.ground(Broker.RABBITMQ), messages=MESSAGES, workers=2)
    print(msgspec.json.format(msgspec.json.encode(done)).decode())
    assert done.is_kept, done.account
