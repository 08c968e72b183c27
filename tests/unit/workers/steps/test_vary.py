"""Which variant a conversation falls to, and what is otherwise then."""

from __future__ import annotations

from collections import Counter

import pytest
from msgspec.structs import replace

from shared.messages.turn_report import Tier
from shared.settings import Settings
from shared.settings.turn.routing import RoutingSettings
from shared.settings.watching.variants import ASKED_FOR, VariantSettings, variant_faults
from shared.telemetry.metrics import Metrics
from tests.queued_message import queued_message
from workers.building.recall import varying
from workers.caching.cache_key import cache_key
from workers.routing.model_router import ModelRouter
from workers.steps.answer import prompt_of
from workers.steps.choose_model import ChooseModel
from workers.steps.recall import _instructions
from workers.steps.vary import Vary
from workers.turn import Turn, begin_turn

WARM = VariantSettings(share=0.25, system_prefix="Be kind.", large_from=1.0)
LARGE = VariantSettings(share=0.25, model="large")


def turn_of(conversation: str | None = None, **body: object) -> Turn:
    turn = begin_turn(queued_message(body='{"input":"Hi"}', conversation_id=conversation))
    turn.body = replace(turn.body, **body)
    return turn


async def varied(vary: Vary, turn: Turn) -> str | None:
    await vary(turn)
    return None if turn.report is None else turn.report.variant


async def test_a_conversation_keeps_its_variant_and_shares_are_kept() -> None:
    one, other = Vary({"warm": WARM, "large": LARGE}), Vary({"large": LARGE, "warm": WARM})
    found = Counter[str | None]()
    for number in range(2_000):
        name = await varied(one, turn_of(f"conv_{number}"))
        assert name == await varied(other, turn_of(f"conv_{number}"))
        found[name] += 1
    assert found.keys() == {"warm", "large", None}
    assert 400 < found["warm"] < 600
    assert 400 < found["large"] < 600


async def test_who_asks_for_one_by_its_name_gets_it_and_nobody_else_at_no_share() -> None:
    vary = Vary({"warm": replace(WARM, share=0.0), "large": replace(LARGE, share=1.0)})
    assert await varied(vary, turn_of("conv_1", metadata={ASKED_FOR: "warm"})) == "warm"
    assert await varied(vary, turn_of("conv_1", metadata={ASKED_FOR: "control"})) is None
    for words in ({ASKED_FOR: "unknown"}, {}, None):
        assert await varied(vary, turn_of("conv_1", metadata=words)) == "large"


async def test_a_variant_changes_the_model_the_threshold_and_the_instructions() -> None:
    choose = ChooseModel(ModelRouter(RoutingSettings(large_from=0.0)), Metrics())
    usual, warm, large = turn_of(), turn_of(instructions="Be short."), turn_of()
    await Vary({"warm": replace(WARM, share=1.0)})(warm)
    await Vary({"large": replace(LARGE, share=1.0)})(large)
    for turn in (usual, warm, large):
        await choose(turn)
    assert (usual.model, warm.model, large.model) == (Tier.LARGE, Tier.SMALL, Tier.LARGE)
    assert [item.text() for item in _instructions(warm)] == ["Be kind.", "Be short."]
    assert warm.body.instructions == "Be short."  # what its caller is told is what it sent
    assert _instructions(large) == []


async def test_a_model_that_the_caller_named_is_never_another_one() -> None:
    turn = turn_of(model="gpt-x")
    await Vary({"large": replace(LARGE, share=1.0)})(turn)
    assert turn.model is None


async def test_a_chain_of_its_own_is_for_what_any_provider_may_answer() -> None:
    vary = Vary({"other": VariantSettings(share=1.0, chain=("b", "a"))})
    for model, order in ((None, ("b", "a")), ("auto", ("b", "a")), ("large", ("b", "a"))):
        turn = turn_of(model=model)
        await vary(turn)
        assert prompt_of(turn).order == order
    named, usual = turn_of(model="gpt-x"), turn_of()
    await vary(named)
    assert prompt_of(named).order == prompt_of(usual).order == ()
    varied_turn = turn_of()
    await vary(varied_turn)
    assert cache_key(varied_turn, chain="c").place != cache_key(usual, chain="c").place


async def test_the_end_of_a_turn_says_its_variant() -> None:
    turn = turn_of()
    await Vary({"large": replace(LARGE, share=1.0)})(turn)
    turn.end(turn.record.state, turn.record.accepted_at)
    assert turn.settlement is not None
    assert turn.settlement.variant == "large"


def test_without_variants_there_is_no_step() -> None:
    assert [*varying(Settings())] == []
    assert len([*varying(Settings(variants={"warm": WARM}))]) == 1


@pytest.mark.parametrize(
    ("variants", "fault"),
    [
        ({"warm": VariantSettings(share=0.1)}, "changes nothing"),
        ({"Warm": WARM}, "is no name of a variant"),
        ({"control": WARM}, "is no name of a variant"),
        ({"warm": VariantSettings(model="gpt-9")}, "Use one of: small, large, gpt-x, gpt-y"),
        (
            {"a": replace(WARM, share=0.7), "b": replace(WARM, share=0.7)},
            "variants.a.share + variants.b.share come to 1.4",
        ),
        ({"warm": VariantSettings(chain=("c",))}, "variants.warm.chain: 'c' is no provider"),
        ({"warm": VariantSettings(chain=("b", "a", "b"))}, "names 'b' more than once"),
        (
            {"warm": VariantSettings(chain=("b",), model="gpt-x")},
            "variants.warm.model = 'gpt-x' is no model of any provider of its chain",
        ),
        ({f"v{number}": WARM for number in range(9)}, "Keep 8"),
    ],
)
def test_what_cannot_work_is_a_finding(variants: dict[str, VariantSettings], fault: str) -> None:
    assert any(
        fault in each for each in variant_faults(variants, models={"a": {"gpt-x"}, "b": {"gpt-y"}})
    )
    assert [*variant_faults({"warm": WARM}, models={})] == []
