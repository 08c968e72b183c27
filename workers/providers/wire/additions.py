"""What we put into a request by ourselves, and leave out again where a server refuses it."""

from __future__ import annotations

from collections.abc import Set
from typing import Final

from workers.providers.failures import UnknownFieldError

_ADDED: Final[dict[str, object]] = {"stream_options": {"include_usage": True}}
"""Without it the figures of a stream are estimates."""
_OLD_LIMIT, _NEW_LIMIT = "max_tokens", "max_completion_tokens"


class Additions:
    """Remembers for each model of one provider what its server does not know.

    The limit of an answer has two names: most servers know the older one, and some models refuse
    it.
    """

    def __init__(self, *, limit_is_new: bool) -> None:
        self._limits = (_NEW_LIMIT, _OLD_LIMIT) if limit_is_new else (_OLD_LIMIT, _NEW_LIMIT)
        self._refused: dict[str, set[str]] = {}

    def fields(self, model: str) -> dict[str, object]:
        """What is added to a request of the model."""
        refused = self._refused.get(model, ())
        return {name: value for name, value in _ADDED.items() if name not in refused}

    def limit(self, model: str) -> str:
        """The name of the limit of an answer."""
        usual, other = self._limits
        return other if usual in self._refused.get(model, ()) else usual

    def leave_out(self, model: str, refusal: UnknownFieldError, *, sent: Set[str]) -> bool:
        """Do without what was refused from now on; False where it was nothing of ours.

        `sent` are the fields of the request. A refusal that names no field at all may mean any of
        ours. What another call has been refused meanwhile counts: the next one does without it.
        """
        ours = sent & {*_ADDED, self._limits[0]}
        said = f"{refusal.field} {refusal.provider_message}"
        # The new name holds the old one, and is what the caller is told to use.
        named = {name for name in ours if name in said.replace(self._limits[1], "")}
        if not named and not refusal.field:
            named = sent & _ADDED.keys()
        self._refused.setdefault(model, set()).update(named)
        return bool(named)
