"""An answer that the judge rejected."""

from __future__ import annotations

from workers.providers.walking.link import Judgement


class RejectedAnswer(Exception):
    """Raised once the attempt is booked; `judgement` says what is to be done."""

    def __init__(self, judgement: Judgement) -> None:
        super().__init__(judgement.reason)
        self.judgement = judgement
