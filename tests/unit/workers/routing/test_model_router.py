"""The router: thresholds, tenants of their own, and reasons without a word of the message."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.messages.stored_body import decode_body
from shared.messages.turn_report import RoutingReport, Tier
from shared.settings.turn.routing import RoutingSettings, TenantRouting
from workers.routing.model_router import ModelRouter
from workers.routing.question import RoutedQuestion, question_of

EASY = RoutedQuestion(text="What is the capital of Peru?", characters=28)
HARD = RoutedQuestion(text="Prove that there are infinitely many primes, and why.", characters=53)
MESSAGES = Path(__file__).parents[3] / "benchmarks" / "day" / "labelled_messages.jsonl"


def route(question: RoutedQuestion, tenant: str = "", **settings: object) -> RoutingReport:
    return ModelRouter(RoutingSettings(**settings)).route(question, tenant=tenant)  # type: ignore[arg-type]


def test_easy_is_small_and_hard_is_large() -> None:
    assert route(EASY).tier is Tier.SMALL
    assert route(HARD).tier is Tier.LARGE


def test_the_ends_of_the_threshold_send_everything_one_way() -> None:
    assert route(EASY, large_from=0.0).tier is Tier.LARGE
    assert route(HARD, large_from=1.0).tier is Tier.SMALL


def test_a_tenant_is_pinned_or_has_a_threshold_of_its_own() -> None:
    tenants = {
        "ten_a": TenantRouting(tier="large"),
        "ten_b": TenantRouting(large_from=1.0),
        "ten_c": TenantRouting(tier="small", large_from=0.0),
    }
    pinned = route(EASY, "ten_a", tenants=tenants)
    assert (pinned.tier, pinned.score) == (Tier.LARGE, None)
    assert "pinned" in pinned.reason
    assert route(HARD, "ten_b", tenants=tenants).tier is Tier.SMALL
    assert route(HARD, "ten_c", tenants=tenants).tier is Tier.SMALL
    assert route(HARD, "ten_d", tenants=tenants).tier is Tier.LARGE


def test_the_reason_names_signals_and_quotes_nothing() -> None:
    chosen = route(HARD)
    assert chosen.score is not None
    assert chosen.reason.startswith(f"score {chosen.score:.2f} >= 0.25: ")
    assert "demand +" in chosen.reason
    assert "infinitely" not in chosen.reason


def test_a_message_without_signs_says_so() -> None:
    assert (
        "no sign of difficulty" in route(RoutedQuestion(text="Blue lamps.", characters=11)).reason
    )


@pytest.mark.parametrize("half", [0, 1])
def test_it_is_right_about_most_of_the_labelled_messages(half: int) -> None:
    router = ModelRouter(RoutingSettings())
    wrong = {True: 0, False: 0}
    lines = MESSAGES.read_bytes().splitlines()[half::2]
    for line in lines:
        body = decode_body(line)
        is_large = router.route(question_of(body, body.input)).tier is Tier.LARGE
        hard = b'"hard": true' in line
        wrong[hard] += is_large is not hard
    assert wrong[True] <= 3, "hard messages that the small model got"
    assert wrong[False] <= 2, "easy messages that the large model got"
