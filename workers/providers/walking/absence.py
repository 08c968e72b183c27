"""Whether the models of a chain are away, so that a message may wait for them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from workers.providers.attempt import Attempt
from workers.providers.error_class import Blame, ErrorClass
from workers.providers.walking.link import ChainLink


def are_away(
    models: Collection[ChainLink],
    requested: str,
    attempts: Sequence[Attempt],
    skipped: Collection[str],
) -> bool:
    """Of each: its breaker is not closed, or the last call never got to a model. False where one
    had the message, or refused it, and where there is none."""

    def is_away(link: ChainLink) -> bool:
        if link.provider.name in skipped:
            return True
        calls = [each for each in attempts if each.provider == link.provider.name]
        end = calls[-1].error_class if calls else None
        if end is None or end.refuses or end is ErrorClass.REJECTED:
            return False
        return _is_cut_off(link, requested) or (end.blame is Blame.ALWAYS and not end.billed)

    return bool(models) and all(map(is_away, models))


def _is_cut_off(link: ChainLink, requested: str) -> bool:
    if link.deployments is not None:
        return link.deployments.is_cut_off(requested)
    breaker = link.breaker(requested)
    return breaker is not None and not breaker.is_closed
