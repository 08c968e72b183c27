from __future__ import annotations

import pytest

from ingress.admission.limits import limits_of
from ingress.admission.risk import LARGEST_RISK, WEIGHTS, explain, risk_of
from shared.accepting.ledger_entry import reserved_tokens
from shared.messages.tenant import Plan
from shared.reservations.account import RecordCount

NOTHING = (0, 0, 0, 0, 0, 0)


def test_a_clean_record_is_no_risk_and_needs_no_explanation() -> None:
    assert risk_of(NOTHING, full_bucket=100) == 0
    assert explain(0.0, NOTHING, full_bucket=100) == ""


def test_the_explanation_names_the_heaviest_reason_first() -> None:
    counts = (9, 114, 0, 1, 0, 0)
    risk = risk_of(counts, full_bucket=100)
    assert explain(risk, counts, full_bucket=100) == (
        f"risk {risk:.2f}: 114 identical messages, 1 answer blocked by a validator, "
        "9 refusals recently"
    )


@pytest.mark.parametrize("place", range(len(WEIGHTS)))
def test_more_of_anything_never_lowers_the_risk(place: int) -> None:
    risks = []
    for count in (0, 1, 10, 100, 1e9):
        counts = [0.0] * len(WEIGHTS)
        counts[place] = count
        risks.append(risk_of(counts, full_bucket=10))
    assert risks == sorted(risks)
    assert risks[-1] == pytest.approx(WEIGHTS[place].largest)


def test_repeats_within_a_full_bucket_are_free() -> None:
    assert risk_of((0, 100, 0, 0, 0, 0), full_bucket=100) == 0
    assert risk_of((0, 110, 0, 0, 0, 0), full_bucket=100) == pytest.approx(0.3)


def test_no_record_leaves_less_than_a_twentieth() -> None:
    assert risk_of((1e9,) * len(WEIGHTS), full_bucket=1) == LARGEST_RISK


def test_the_anonymous_user_may_use_all_of_the_tenants_plan() -> None:
    plan = Plan(100, 1000, 10, 100, 5)
    anonymous = limits_of(plan, named_user=False, burst_share=0.5, half_life_seconds=600)
    named = limits_of(plan, named_user=True, burst_share=0.5, half_life_seconds=600)
    assert anonymous.user_requests == anonymous.requests
    assert (named.user_requests.burst, named.user_tokens.burst) == (5, 50)


@pytest.mark.parametrize(
    ("tokens", "largest", "estimate"),
    [
        (0, None, 200),
        (1, None, 201),
        (100, None, 300),
        (100, 50, 150),
        (100, 1_000_000, 300),
        (0, 0, 1),
    ],
)
def test_tokens_are_the_input_plus_what_the_tenants_answers_usually_cost(
    tokens: int, largest: int | None, estimate: int
) -> None:
    estimated = reserved_tokens(tokens, p90_output_tokens=200, max_output_tokens=largest)
    assert estimated == estimate


def test_every_count_of_a_record_has_its_weight_in_its_place() -> None:
    assert [weight.count for weight in WEIGHTS] == list(RecordCount)
