"""The model of idempotency: of one key one id is told, and what is told exists."""

from __future__ import annotations

from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tests.integration.ingress.mortal_doors import MortalDoors

KEYS = st.sampled_from(["order-1", "order-2"])


class ToldIds(RuleBasedStateMachine):
    """Any order of posts, repeats, dead doors and troubles of Redis."""

    doors: ClassVar[MortalDoors]

    def __init__(self) -> None:
        super().__init__()
        self.doors.be_another_tenant()
        self._told: dict[str, str] = {}

    @rule(key=KEYS)
    def post(self, key: str) -> None:
        told = self.doors.post(key)
        assert told is not None, "there is always a verdict, and no limit in this model"
        assert self.doors.exists(told), f"{told} was told and does not exist"
        assert told == self._told.setdefault(key, told), "two ids were told under one key"

    @rule(key=KEYS, is_committed=st.booleans())
    def post_through_a_door_that_dies(self, key: str, *, is_committed: bool) -> None:
        self.doors.post_and_die(key, is_committed=is_committed)

    @rule()
    def a_new_door(self) -> None:
        self.doors.replace_door()

    @rule()
    def redis_freezes(self) -> None:
        self.doors.freeze()

    @rule()
    def redis_goes_on(self) -> None:
        self.doors.thaw()
        self.doors.replace_door()

    @rule()
    def redis_forgets(self) -> None:
        self.doors.flush()

    def teardown(self) -> None:
        self.doors.thaw()
