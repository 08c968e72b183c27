"""Does Redis let us in, is it new enough, may it be written, and does it keep what it is told?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from deploy.cli.check.finding import CheckFinding, fault, fine, hint
from shared.settings.secret import ServerUrl
from shared.settings.servers import RedisSettings

OLDEST_VERSION: Final = (6, 2)
_PATIENCE_SECONDS: Final = 1.0
_KEY: Final = "forebay:check"
_ABSENT: Final = "forebay:check:absent"
_NO_SCRIPT: Final = "0" * 40

# They change nothing that lasts: enough to hear of a replica, a full memory and a missing right.
_TRIALS: Final[tuple[tuple[str | int, ...], ...]] = (
    ("SET", _KEY, "", "PX", 1),
    ("SCRIPT LOAD", "return 0"),
    ("ZRANGE", _ABSENT, 0, 0),
    ("HGET", _ABSENT, ""),
    ("XRANGE", _ABSENT, "-", "-"),
)
# What every worker needs of the broker, on the keys that Celery uses.
_BROKER_TRIALS: Final[tuple[tuple[str | int, ...], ...]] = (
    ("SET", _KEY, "", "PX", 1),
    ("LLEN", "intake"),
    ("RPOP", _ABSENT),
    ("HGET", "unacked", ""),
    ("ZRANGE", "unacked_index", 0, 0),
    ("ZREVRANGEBYSCORE", "unacked_index", 0, 0),
    ("SMEMBERS", "_kombu.binding.celeryev"),
    ("SCRIPT EXISTS", _NO_SCRIPT),
)


async def check_redis(settings: RedisSettings, *, is_broker: bool) -> list[CheckFinding]:
    """One server, for limits and replies, or as the broker."""
    from redis.exceptions import RedisError

    from shared.redis.client import open_redis
    from shared.redis.refusal import why_redis_refuses

    client = open_redis(msgspec.structs.replace(settings, timeout_seconds=_PATIENCE_SECONDS))
    part = "broker" if is_broker else "redis"
    facts: dict[str, Any] = {}
    try:
        facts = await client.info()
        if facts.get("cluster_enabled"):
            return [_cluster(part, settings.url)]
        refused = await _refused(client, _BROKER_TRIALS if is_broker else _TRIALS)
    except (RedisError, OSError) as error:
        refused = error
    finally:
        await client.aclose()
    if refused is not None:
        why = why_redis_refuses(refused, section=part)
        return [fault(part, f"Redis at {settings.url.redacted} {why}.")]
    return [*_version(part, facts, settings.url), *_durability(part, facts, is_broker=is_broker)]


async def _refused(client: Any, trials: tuple[tuple[str | int, ...], ...]) -> Exception | None:
    """What the first of the commands that is refused says."""
    async with client.pipeline(transaction=False) as pipe:
        for words in trials:
            pipe.execute_command(*words)
        said = await pipe.execute(raise_on_error=False)
    return next((each for each in said if isinstance(each, Exception)), None)


def _cluster(part: str, url: ServerUrl) -> CheckFinding:
    return fault(
        part,
        f"Redis at {url.redacted} is a node of a cluster, and Forebay speaks to no cluster: name "
        f"a Redis without one in {part}.url.",
    )


def _version(part: str, facts: dict[str, Any], url: ServerUrl) -> Iterator[CheckFinding]:
    version = str(facts.get("redis_version", "0"))
    number = tuple(int(word) for word in version.split(".")[:2] if word.isdigit())
    name = f"Valkey {facts['valkey_version']}" if "valkey_version" in facts else f"Redis {version}"
    if number < OLDEST_VERSION:
        yield fault(part, f"{name} at {url.redacted} is too old: install 6.2 or newer.")
    else:
        yield fine(part, f"{name} at {url.redacted} answers.")


def _durability(part: str, facts: dict[str, Any], *, is_broker: bool) -> Iterator[CheckFinding]:
    policy = str(facts.get("maxmemory_policy", "noeviction"))
    if policy != "noeviction":
        yield hint(
            part,
            f"Redis may drop keys when memory is short (maxmemory-policy {policy}): set "
            "noeviction, so that it refuses instead.",
        )
    if is_broker and not facts.get("aof_enabled"):
        yield hint(
            part,
            "The broker's Redis forgets its queues in a crash: set `appendonly yes`. No message "
            "is lost without it, but each waits until it is published again.",
        )
