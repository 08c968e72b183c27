"""Who is let in again, and who is not."""

from __future__ import annotations

from msgspec.structs import replace

from deploy.replay.day.multiplying import multiplied
from deploy.replay.world.world import run_day
from shared.messages.tenant import Plan
from shared.settings.door import LimitSettings
from tests.unit.deploy.replay.days import asked, call, chain_of, day_of

REFUSED = "user_rate_limited_requests"


def test_what_is_above_a_limit_is_refused_by_the_rules_of_the_door() -> None:
    limits = LimitSettings(user_requests_per_minute=60, burst_share=0.1)
    settings = chain_of("one", limits=limits)
    came = [asked(f"m{n}", n / 10, call(0.1), user="ann") for n in range(100)]

    jobs = run_day(day_of(*came), settings, slots=100).jobs

    let_in = [job for job in jobs if job.refused_by is None]
    assert {job.refused_by for job in jobs} == {None, "user_rate_limited_requests"}
    assert len(let_in) <= 6 + 10


def test_a_plan_of_the_tenants_own_goes_before_the_settings() -> None:
    day = day_of(*(asked(f"m{n}", n / 10, call(0.1)) for n in range(100)))
    day.plans["acme"] = Plan(
        requests_per_minute=30,
        tokens_per_minute=10**9,
        user_requests_per_minute=10**6,
        user_tokens_per_minute=10**9,
        max_in_flight=1_000,
    )

    rerun = run_day(day, chain_of("one"), slots=10)

    assert 30 <= sum(job.refused_by is None for job in rerun.jobs) <= 30 + 5


def test_whom_a_limit_of_the_day_refused_it_refuses_again_and_nobody_else() -> None:
    limits = LimitSettings(user_requests_per_minute=60, burst_share=0.1)
    came = [
        asked(f"m{n}", n / 10, call(0.1), user="ann", refused=None if n < 90 else REFUSED)
        for n in range(100)
    ]
    day = replace(day_of(*came), limits=limits)

    as_then = run_day(day, chain_of("one", limits=limits), slots=100)
    narrower = replace(limits, user_requests_per_minute=30)
    otherwise = run_day(day, chain_of("one", limits=narrower), slots=100)
    more = run_day(multiplied(day, 2.0), chain_of("one", limits=limits), slots=100)

    assert [job.refused_by for job in as_then.jobs] == [each.refused for each in came]
    # Where limits are others, or others come, the rules decide.
    assert sum(job.refused_by is not None for job in otherwise.jobs) > 80
    assert any(job.refused_by and not job.message.refused for job in more.jobs)
