"""Stored answers, flights and credits of replay, held equal to the scripts."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from deploy.replay.rules.answer_store import AnswerStore
from deploy.replay.rules.credit_rules import CreditRules
from shared.answer_cache.flights import ALONE_SECONDS
from shared.answer_cache.stored_answer import CachePlace, entry_prefix, generation_key, index_key
from shared.dispatch.credit import CREDIT_KEY, NOBODY, Credits, LaneSlots, Wanted
from shared.messages.lane import Lane
from shared.redis.scripts import load_script
from tests.integration.replay.virtual_redis import VirtualRedis

TTL, LEASE, MOST = 100.0, 5.0, 3
WAITS = [0.013, 0.013, 0.7, 0.7, 1.9, 1.9, 5.3, 40.1, 99.7]
property_test = settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@dataclass(frozen=True)
class Step:
    kind: str
    wait: float
    tenant: str
    digest: str
    owner: str


def _history(random: Random) -> list[Step]:
    return [
        Step(
            kind=random.choice(["look", "look", "look", "store", "renew", "landed", "lost"]),
            wait=random.choice(WAITS),
            tenant=random.choice(["t", "t", "u"]),
            digest=random.choice("abcde") * 32,
            owner=random.choice(["", "one", "two"]),
        )
        for _ in range(150)
    ]


class StoreScripts:
    def __init__(self, redis: VirtualRedis) -> None:
        self._redis = redis
        self._scripts = {
            name: redis.script(load_script("shared.answer_cache", f"{name}.lua").source.decode())
            for name in ("look_up", "store", "flight")
        }

    def look_up(self, step: Step) -> tuple[int, str | None]:
        place = CachePlace(step.tenant, step.digest)
        _, role, _, answer = self._scripts["look_up"](
            (generation_key(step.tenant), place.entry, place.flight),
            (step.owner, int(LEASE * 1000), ""),
        )
        return role, answer.decode() or None

    def store(self, step: Step, answer: str) -> None:
        place = CachePlace(step.tenant, step.digest)
        generation, *_ = self._scripts["look_up"](
            (generation_key(step.tenant), place.entry, place.flight), ("", 1000, "-1")
        )
        kept = self._scripts["store"](
            (generation_key(step.tenant), place.entry, index_key(step.tenant)),
            (generation, answer, int(TTL * 1000), step.digest, MOST, entry_prefix(step.tenant)),
        )
        assert kept == 1

    def say(self, step: Step) -> bool:
        place = CachePlace(step.tenant, step.digest)
        life = ALONE_SECONDS if step.kind == "lost" else LEASE
        arguments = (step.owner or "nobody", step.kind, int(life * 1000), place.channel)
        return bool(self._scripts["flight"]((place.flight,), arguments))


@property_test
@given(random=st.randoms(use_true_random=True))
def test_answers_are_found_and_flights_led_as_by_the_scripts(
    redis_url: str, random: Random
) -> None:
    redis = VirtualRedis(redis_url, epoch=1_735_689_600)
    scripts = StoreScripts(redis)
    store = AnswerStore(ttl=TTL, entries_per_tenant=MOST, lease=LEASE)
    for number, step in enumerate(_history(random)):
        redis.move_to(round(redis.now + step.wait, 3))
        now, owner = redis.now, step.owner or "nobody"
        match step.kind:
            case "look":
                found = store.look_up(step.tenant, step.digest, step.owner, now)
                assert (int(found.role), found.answer) == scripts.look_up(step)
            case "store":
                store.store(step.tenant, step.digest, f"answer {number}", now)
                scripts.store(step, f"answer {number}")
            case "renew":
                assert store.renew(step.tenant, step.digest, owner, now) == scripts.say(step)
            case _:
                brought = step.kind == "landed"
                ended = store.land(step.tenant, step.digest, owner, now, brought=brought)
                assert ended == scripts.say(step)
    redis.close()


def _standing(random: Random) -> dict[Lane, LaneSlots]:
    lanes = random.sample([*Lane], random.randint(1, 3))
    return {
        lane: LaneSlots(random.randint(-3, 6), random.randint(1, 8), random.random() < 0.3)
        for lane in lanes
    }


@property_test
@given(random=st.randoms(use_true_random=True))
def test_credits_are_granted_as_by_the_script(redis_url: str, random: Random) -> None:
    redis = VirtualRedis(redis_url, epoch=1_735_689_600)
    script = redis.script(load_script("shared.dispatch", "credit.lua").source.decode())
    rules, calls = CreditRules(), Credits()
    for _ in range(150):
        redis.move_to(redis.now + random.choice([0.1, 0.1, 0.1, 0.7, 3.3]))
        lane, number = random.choice([*Lane]), random.randint(0, 4)
        match random.choice(["set", "give", "take", "take", "take", "give"]):
            case "set":
                standing = _standing(random)
                rules.set(standing, until=redis.now + LEASE)
                _, call = calls.setting(standing, lease_seconds=LEASE)
                script((CREDIT_KEY,), call.arguments)
            case "give":
                rules.give(lane, number, redis.now)
                _, call = calls.giving([(lane, number)])
                script((CREDIT_KEY,), call.arguments)
            case _:
                _, call = calls.taking([Wanted(lane, number)])
                (granted,) = script((CREDIT_KEY,), call.arguments)
                taken = rules.take(lane, number, redis.now)
                assert (NOBODY if taken is None else taken) == granted
    redis.close()
