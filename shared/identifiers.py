"""Identifiers: a prefix that says what it names, then 32 hex digits that sort by time.

48 bits of milliseconds keep a table's index appending at its right edge; 80 random bits keep ids of
different processes apart. Ids are names, not secrets: whoever asks for one must own it.
"""

from __future__ import annotations

import hashlib
import os
import socket
import time
from datetime import UTC, datetime
from random import Random
from typing import Final

RESPONSE: Final = "resp"
FEEDBACK: Final = "feedback"
OUTPUT_MESSAGE: Final = "msg"
FUNCTION_CALL: Final = "fc"
REASONING: Final = "rs"
FILE_SEARCH: Final = "fs"
ITEM: Final = "item"
CONVERSATION: Final = "conv"
HANDOFF: Final = "hand"
DEAD_LETTER: Final = "dead"
REQUEST: Final = "req"
TENANT: Final = "ten"
API_KEY: Final = "key"
FILE: Final = "file"
CONTENT: Final = "cont"
ERASURE: Final = "erasure"
COLLECTION: Final = "vs"
DOCUMENT: Final = "doc"
FILE_BATCH: Final = "vsfb"
INDEX_JOB: Final = "job"
BATCH: Final = "batch"
BATCH_REQUEST: Final = "batch_req"
PROVIDER_BATCH: Final = "pbatch"
SCHEDULE: Final = "sched"
WEBHOOK_ENDPOINT: Final = "we"
WEBHOOK_EVENT: Final = "evt"
WEBHOOK_DELIVERY: Final = "whd"
EVALUATION_RUN: Final = "evalrun"
EVALUATION_MESSAGE: Final = "evalmsg"
"""Begins the idempotency key of what an evaluation asks: a golden case, or a judge's question."""
ALERT_EVENT: Final = "aev"
ALERT_MESSAGE: Final = "amsg"
ALERT_SILENCE: Final = "silence"

# Seeded by the system, and again in a forked child, which would go on with its parent's numbers.
_random = Random()
os.register_at_fork(after_in_child=_random.seed)


def new_id(prefix: str) -> str:
    """A fresh id such as `resp_019a3c…`: 32 hex digits after the prefix, ordered by time."""
    milliseconds = int(time.time() * 1000) & 0xFFFF_FFFF_FFFF
    return f"{prefix}_{(milliseconds << 80) | _random.getrandbits(80):032x}"


def first_id(prefix: str, at: datetime) -> str:
    """What every id of this kind that was made before that moment sorts before."""
    return f"{prefix}_{int(at.timestamp() * 1000) << 80:032x}"


def made_at(identifier: str) -> datetime:
    """When an id of ours was made, to the millisecond; raises ValueError for one that is none."""
    digits = identifier[-32:]
    return datetime.fromtimestamp((int(digits, 16) >> 80) / 1000, UTC)


def new_response_id() -> str:
    """The one id of a message for its whole life."""
    return new_id(RESPONSE)


def new_file_id() -> str:
    """The id of a file. Clients tell a file's id from its content by OpenAI's own `file-`."""
    return new_id(FILE).replace("_", "-")


def sibling_id(prefix: str, other: str) -> str:
    """The id of something there is exactly one of per `other`, derived so that it never changes."""
    return f"{prefix}_{other.rpartition('_')[2]}"


def nth_id(prefix: str, other: str, nth: int) -> str:
    """The id of the nth of those that `other` has several of, from 0."""
    return f"{sibling_id(prefix, other)}_{nth}"


def new_process_name() -> str:
    """The name of this process among all that hold leases; another one for each call."""
    return f"{socket.gethostname()[:64]}:{os.getpid()}:{new_id('w')[-12:]}"


def key_digest(key: str) -> str:
    """How a key is looked up. Keys are 256 random bits, so a plain SHA-256 cannot be searched."""
    return hashlib.sha256(key.encode()).hexdigest()
