"""A real Redis at times that the test gives."""

from __future__ import annotations

from math import ceil
from typing import Any, Final

from redis import Redis

_CLOCK: Final = "the clock"
_CLOCK_READ: Final = f"redis.call('LRANGE', '{_CLOCK}', 0, 1)"


class VirtualRedis:
    """Runs scripts as they are, but that their clock is ours; what they let expire goes by it too.

    Lives that a script sets are whole tenths of a second here.
    """

    def __init__(self, url: str, *, epoch: int) -> None:
        """Scripts read the seconds `epoch + now` from the server."""
        self._redis = Redis.from_url(url)
        self._redis.flushdb()
        self._epoch = epoch
        self._dues: dict[bytes, float] = {}
        self.now = 0.0
        self.move_to(0.0)

    def move_to(self, now: float) -> None:
        """Forward only; takes away what is over by then."""
        self.now = now
        seconds = int(now)
        micros = round((now - seconds) * 1_000_000)
        self._redis.delete(_CLOCK)
        self._redis.rpush(_CLOCK, self._epoch + seconds, micros)
        for key in [key for key, due in self._dues.items() if due <= now]:
            del self._dues[key]
            self._redis.delete(key)

    def script(self, source: str) -> VirtualScript:
        """To be called with keys and arguments."""
        return VirtualScript(self, self._redis.register_script(in_our_time(source)))

    def keep_lives(self) -> None:
        """What has a life from now on ends by our clock."""
        for key in [*self._redis.scan_iter()]:
            assert isinstance(key, bytes)
            left = self._redis.pttl(key)
            if left > 0:
                self._dues[key] = self.now + ceil(left / 100) / 10
                self._redis.persist(key)
            elif left == -2:
                self._dues.pop(key, None)

    def close(self) -> None:
        self._redis.close()


class VirtualScript:
    def __init__(self, redis: VirtualRedis, script: Any) -> None:
        self._redis = redis
        self._script = script

    def __call__(self, keys: Any, arguments: Any) -> Any:
        reply = self._script(keys=list(keys), args=list(arguments))
        self._redis.keep_lives()
        return reply


def in_our_time(source: str) -> str:
    """The script with the one command replaced that reads the server's clock."""
    return source.replace("redis.call('TIME')", _CLOCK_READ)
