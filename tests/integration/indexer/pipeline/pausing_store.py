"""A real store that does something before or after a call, or is away."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from shared.search.vector_store import StoreUnavailable, VectorStore

Act = Callable[[], Awaitable[object]]


class PausingStore:
    """Hands every call on to the store behind it."""

    def __init__(self, store: VectorStore) -> None:
        self._store = store
        self.before: dict[str, Act] = {}
        """What is done before the next call of that name."""
        self.after: dict[str, Act] = {}
        self.is_away = False
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._store, name)

        async def asked(*arguments: Any, **options: Any) -> Any:
            self.calls.append(name)
            if self.is_away:
                raise StoreUnavailable("The store is away.", retry_after_seconds=0.01)
            if act := self.before.pop(name, None):
                await act()
            answer = await call(*arguments, **options)
            if act := self.after.pop(name, None):
                await act()
            return answer

        return asked
