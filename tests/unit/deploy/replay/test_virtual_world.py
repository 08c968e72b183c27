"""A small day run again: who waits, who is refused, who answers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from deploy.replay.day.generating import GeneratedTraffic, generated_day
from deploy.replay.day.multiplying import multiplied
from deploy.replay.world.virtual_message import VirtualMessage
from deploy.replay.world.world import run_day
from shared.messages.lane import Lane
from shared.messages.state import ResponseState
from shared.messages.turn_report import CacheKind
from shared.resilience.periodic import GATHER_SECONDS
from shared.settings import Settings
from shared.settings.agents import DispatchSettings
from shared.settings.costs import CostSettings, PriceSettings
from tests.unit.deploy.replay.days import asked, call, chain_of, day_of


def run(
    *messages: object, settings: Settings | None = None, slots: int = 100
) -> dict[str, VirtualMessage]:
    day = day_of(*messages, slots=slots)  # type: ignore[arg-type]
    rerun = run_day(day, settings or chain_of("one"), slots=slots)
    return {job.message.id: job for job in rerun.jobs}


def test_a_message_that_finds_a_slot_waits_for_nothing_and_ends_as_it_did() -> None:
    job = run(asked("a", 5.0, call(2.0)))["a"]

    assert job.state is ResponseState.COMPLETED
    assert job.waited == pytest.approx(0.0)
    assert job.cost == 1_000


def test_messages_wait_their_turn_where_there_are_fewer_slots() -> None:
    jobs = run(*(asked(f"m{n}", n / 1000, call(1.0)) for n in range(10)), slots=1)

    waits = sorted(job.waited or 0.0 for job in jobs.values())
    assert waits == pytest.approx([float(n) for n in range(10)], abs=0.25)


def test_a_flood_of_one_tenant_does_not_keep_another_waiting() -> None:
    flood = [asked(f"f{n}", 0.0, call(1.0), tenant="flood") for n in range(300)]
    small = [asked(f"s{n}", 30.0 + n, call(1.0), tenant="small") for n in range(20)]

    jobs = run(*flood, *small, slots=4)

    assert max(jobs[each.id].waited or 0.0 for each in small) < 4.0
    assert max(jobs[each.id].waited or 0.0 for each in flood) > 60.0


def test_batch_calls_give_way_to_who_waits_within_the_waste_budget() -> None:
    batch = [asked(f"b{n}", 0.0, call(10.0), lane=Lane.BATCH) for n in range(400)]
    soon = [asked(f"s{n}", 55.0, call(20.0), lane=Lane.INTERACTIVE) for n in range(5)]

    wasteful = run(*batch, *soon, slots=20)
    none = DispatchSettings(waste_share=0.0)
    thrifty = run(*batch, *soon, slots=20, settings=chain_of("one", dispatch=none))

    waits = sorted(wasteful[each.id].waited or 0.0 for each in soon)
    assert waits[-1] < 0.5
    # Two found room above the ceiling of the lane; the others got slots that were given up, each
    # when its worker had heard of it.
    assert waits[1] < GATHER_SECONDS <= waits[2]
    assert max(thrifty[each.id].waited or 0.0 for each in soon) > 2.0
    assert any(wasteful[each.id].claims > 1 for each in batch)


def test_an_equal_question_is_answered_from_the_store_while_the_answer_is_kept() -> None:
    jobs = run(
        asked("first", 0.0, call(1.0), key="k"),
        asked("again", 10.0, call(1.0), key="k"),
        asked("another", 20.0, call(1.0), key="other"),
        asked("too late", 3_700.0, call(1.0), key="k"),
        settings=chain_of("one", cached=True),
    )

    assert {name: job.hit for name, job in jobs.items()} == {
        "first": None,
        "again": CacheKind.EXACT,
        "another": None,
        "too late": None,
    }
    assert jobs["again"].cost == 0


def test_a_batch_call_that_has_run_for_long_is_too_dear_to_give_way() -> None:
    before = [asked(f"b{n}", 0.0, call(0.1), lane=Lane.BATCH) for n in range(200)]
    jobs = run(
        *before,
        asked("long", 60.0, call(60.0), lane=Lane.BATCH),
        asked("late", 90.0, call(1.0), lane=Lane.INTERACTIVE),
        asked("young", 200.0, call(60.0), lane=Lane.BATCH),
        asked("soon", 201.0, call(1.0), lane=Lane.INTERACTIVE),
        slots=1,
    )

    # Charged by its time while it runs, it is beyond what may be wasted.
    assert (jobs["late"].waited or 0.0) > 25.0
    assert (jobs["soon"].waited or 0.0) < 0.5
    assert [jobs[name].claims for name in ("long", "young")] == [1, 2]


def test_without_a_store_an_equal_question_is_answered_as_it_was_when_somebody_asked_it() -> None:
    others = [asked(f"m{n}", n / 10, call(1.0, cost=1)) for n in range(50)]
    jobs = run(
        *others,
        asked("first", 5.0, call(9.0, cost=7), key="k"),
        asked("hit", 20.0, key="k", hit=CacheKind.EXACT, source="first"),
    )

    assert (jobs["hit"].hit, jobs["hit"].cost) == (None, 7)


def test_an_equal_question_under_way_is_waited_for_and_not_asked_twice() -> None:
    jobs = run(
        asked("leads", 0.0, call(5.0), key="k"),
        asked("follows", 1.0, call(5.0), key="k"),
        settings=chain_of("one", cached=True),
    )

    assert jobs["follows"].hit is CacheKind.SINGLE_FLIGHT
    assert jobs["follows"].cost == 0


def test_who_follows_calls_by_itself_where_the_leader_brings_nothing() -> None:
    jobs = run(
        asked("leads", 0.0, call(5.0, error="unauthorised"), key="k"),
        asked("follows", 1.0, call(5.0), key="k"),
        settings=chain_of("one", cached=True),
    )

    assert jobs["leads"].state is ResponseState.FAILED
    assert jobs["follows"].hit is None
    assert jobs["follows"].state is ResponseState.COMPLETED


def test_the_next_of_the_chain_answers_where_the_first_fails() -> None:
    jobs = run(
        asked("m", 0.0, call(1.0, error="unauthorised"), call(2.0, provider="two")),
        settings=chain_of("one", "two"),
    )

    assert jobs["m"].state is ResponseState.COMPLETED
    assert jobs["m"].cost == 2_000


def test_a_breaker_opens_and_nobody_waits_for_its_provider_any_more() -> None:
    failing = [
        asked(f"m{n}", float(n), call(9.0, error="misconfigured"), call(1.0, provider="two"))
        for n in range(60)
    ]
    day = day_of(*failing)

    rerun = run_day(day, chain_of("one", "two"), slots=100)

    assert set(rerun.opened) == {"one/model of one"}
    assert rerun.jobs[30].cost == 1_000
    assert all(job.state is ResponseState.COMPLETED for job in rerun.jobs)


def test_batch_messages_are_parked_while_no_model_answers_and_go_on_afterwards() -> None:
    failing = [asked(f"f{n}", n / 10, call(0.1, error="misconfigured")) for n in range(10)]
    parked = [asked(f"b{n}", 5.0 + n, call(1.0), lane=Lane.BATCH) for n in range(10)]

    jobs = run(*failing, *parked)

    assert all(jobs[each.id].state is ResponseState.COMPLETED for each in parked)
    assert min(jobs[each.id].waited or 0.0 for each in parked) > 15.0


def test_another_model_is_asked_at_its_own_price_as_the_day_knew_calls() -> None:
    day = day_of(*(asked(f"m{n}", float(n), call(3.0)) for n in range(10)))

    dear = PriceSettings(
        model="model of new", input_per_million=Decimal(10), output_per_million=Decimal(100)
    )
    settings = chain_of("new", costs=CostSettings(prices=(dear,)))
    rerun = run_day(day, settings, slots=100)

    assert rerun.borrowed == {"new/model of new": 10}
    assert {job.cost for job in rerun.jobs} == {(100 * 10 + 10 * 100) * 1_000}


def test_what_finds_no_slot_before_its_deadline_is_not_answered() -> None:
    jobs = run(
        asked("long", 0.0, call(500.0)),
        *(asked(f"m{n}", 1.0, call(1.0), deadline=1_000_060.0) for n in range(5)),
        slots=1,
    )

    assert jobs["long"].state is ResponseState.COMPLETED
    late = [job for name, job in jobs.items() if name != "long"]
    assert all(job.state is ResponseState.FAILED and job.cost == 0 for job in late)


def test_the_same_day_gives_the_same_run() -> None:
    traffic = GeneratedTraffic(messages=3_000, hours=0.2)
    runs = [
        run_day(generated_day(traffic, slots=20), chain_of("generated"), slots=20, seed=1)
        for _ in range(2)
    ]

    first, second = ([(job.waited, job.cost, job.state) for job in each.jobs] for each in runs)
    assert first == second


def test_ten_times_the_traffic_is_ten_times_the_messages_of_other_users() -> None:
    day = generated_day(GeneratedTraffic(messages=200, hours=0.1), slots=20)

    more = multiplied(day, 2.5)

    assert len(more.messages) == pytest.approx(500, abs=40)
    assert len({each.id for each in more.messages}) == len(more.messages)
    assert all(day.began <= each.at <= day.ended for each in more.messages)
    assert [each.at for each in more.messages] == sorted(each.at for each in more.messages)
    assert len({each.user for each in more.messages}) > len({each.user for each in day.messages})
