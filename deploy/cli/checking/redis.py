"""Does Redis answer, is it new enough, and does it keep what it is told?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from deploy.cli.checking.finding import Finding, fault, fine, hint
from shared.settings.secret import ServerUrl
from shared.settings.servers import RedisSettings

OLDEST_VERSION: Final = (6, 2)
_PATIENCE_SECONDS: Final = 1.0


async def check_redis(settings: RedisSettings, *, is_broker: bool) -> list[Finding]:
    """One server, for limits and replies, or as the broker."""
    from redis.exceptions import RedisError

    from shared.redis.client import open_redis

    client = open_redis(msgspec.structs.replace(settings, timeout_seconds=_PATIENCE_SECONDS))
    part = "broker" if is_broker else "redis"
    try:
        facts = await client.info()
    except (RedisError, OSError):
        return [_silent(part, settings.url)]
    finally:
        await client.aclose()
    return [*_version(part, facts, settings.url), *_durability(part, facts, is_broker=is_broker)]


def _silent(part: str, url: ServerUrl) -> Finding:
    return fault(
        part,
        f"Redis at {url.redacted} does not answer: start it, mend its password, set "
        f"FOREBAY_{part.upper()}__URL, or start everything here with `forebay up`.",
    )


def _version(part: str, facts: dict[str, Any], url: ServerUrl) -> Iterator[Finding]:
    version = str(facts.get("redis_version", "0"))
    number = tuple(int(word) for word in version.split(".")[:2] if word.isdigit())
    name = f"Valkey {facts['valkey_version']}" if "valkey_version" in facts else f"Redis {version}"
    if number < OLDEST_VERSION:
        yield fault(part, f"{name} at {url.redacted} is too old: install 6.2 or newer.")
    else:
        yield fine(part, f"{name} at {url.redacted} answers.")


def _durability(part: str, facts: dict[str, Any], *, is_broker: bool) -> Iterator[Finding]:
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
