"""A conversation with tools stays one that a model takes, however much of it has to go."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.messages.item import (
    FunctionCall,
    FunctionCallOutput,
    Item,
    MessageItem,
    ReasoningItem,
    Role,
)
from shared.messages.part import LARGEST_IMAGE_TOKENS, ImagePart
from shared.messages.requests.calls import check_items
from shared.token_count import estimated_tokens
from workers.context.importance import Importance
from workers.context.summary.talk import Talk
from workers.context.summary.wording import material
from workers.context.tokens import RememberedCounts
from workers.context.units import loose_end, newest_turn, units_of
from workers.context.window import Digest, Fitter, MessageTooLong

FITTER = Fitter(RememberedCounts(estimated_tokens), Importance())
words = st.text("abc 19?", min_size=1, max_size=40)


@st.composite
def steps(draw: st.DrawFn, ids: list[str]) -> list[Item]:
    """What the model thinks, says and asks in one go, and what comes of it."""
    said: list[Item] = []
    if draw(st.booleans()):
        said.append(ReasoningItem(encrypted_content=draw(words)))
    if draw(st.booleans()):
        said.append(MessageItem(Role.ASSISTANT, draw(words)))
    calls = [f"call_{len(ids) + nth}" for nth in range(draw(st.integers(1, 3)))]
    ids += calls
    said += [FunctionCall(call_id, "look_up", f'{{"of":"{call_id}"}}') for call_id in calls]
    outputs: list[Item] = [FunctionCallOutput(one, draw(words)) for one in calls]
    return [*said, *draw(st.permutations(outputs))]


@st.composite
def turns(draw: st.DrawFn, ids: list[str], *, is_last: bool) -> list[Item]:
    """From what the user says to the answer, which the last turn has yet to get."""
    pictures: list[Item] = [MessageItem(Role.USER, [ImagePart("https://a.example/b.png")])]
    said: list[Item] = [MessageItem(Role.USER, draw(words))]
    said += pictures * draw(st.integers(0, 1))
    if draw(st.integers(0, 5)) == 0:
        said.append(MessageItem(Role.DEVELOPER, draw(words)))
    for _ in range(draw(st.integers(0, 3))):
        said += draw(steps(ids))
    return said if is_last else [*said, MessageItem(Role.ASSISTANT, draw(words))]


@st.composite
def conversations(draw: st.DrawFn) -> list[Item]:
    ids: list[str] = []
    said: list[Item] = [MessageItem(Role.SYSTEM, draw(words))] * draw(st.integers(0, 1))
    for _ in range(draw(st.integers(0, 5))):
        said += draw(turns(ids, is_last=False))
    return [*said, *draw(turns(ids, is_last=True))]


def talk_of(items: Sequence[Item]) -> list[Item]:
    return [item for item in items if not item.role.instructs]


def is_among(item: Item, items: Sequence[Item]) -> bool:
    return any(item is one for one in items)


def check_window(window: list[Item], talk: list[Item]) -> None:
    check_items(window, str, continues=False)
    units = units_of(talk)
    assert [number for unit in units for number in unit] == list(range(len(talk)))
    for unit in units:
        kept = [is_among(talk[number], window) for number in unit]
        assert all(kept) or not any(kept), "a unit was parted"
    last_said = max(n for n, item in enumerate(talk) if is_users_message(item))
    has_tools = any(isinstance(item, FunctionCall) for item in talk[last_said:])
    for item in talk[last_said:] if has_tools else talk[-1:]:
        assert is_among(item, window), "the newest turn is not whole"


def is_users_message(item: Item) -> bool:
    return isinstance(item, MessageItem) and item.role is Role.USER


@given(conversation=conversations(), share=st.floats(0.02, 1.1), data=st.data())
@settings(max_examples=200)
def test_a_window_is_always_a_conversation_that_a_model_takes(
    conversation: list[Item], share: float, data: st.DataObject
) -> None:
    check_items(conversation, str, continues=False)
    talk = talk_of(conversation)
    checkpoints = list(Talk("ten_1", conversation).checkpoints)
    covered = data.draw(st.sampled_from([0, *checkpoints]))
    digest = Digest(MessageItem(Role.USER, "Much was said."), covered) if covered else None
    budget = int(share * sum(map(FITTER.tokens, conversation)))
    try:
        window = FITTER.fit(conversation, token_budget=budget, digest=digest)
    except MessageTooLong:
        newest = talk[units_of(talk)[newest_turn(talk, units_of(talk))].start :]
        whole = [item for item in conversation if item.role.instructs]
        assert sum(map(FITTER.tokens, [*whole, *newest])) > budget
        return
    check_window(window.items, talk)
    assert sum(map(FITTER.tokens, window.items)) == window.tokens <= budget
    assert window.kept + window.summarised + window.dropped == len(conversation)


@given(conversation=conversations())
def test_a_summary_never_parts_a_unit_nor_covers_what_is_to_be_answered(
    conversation: list[Item],
) -> None:
    talk = talk_of(conversation)
    units = units_of(talk)
    ends = {unit.stop for unit in units[: newest_turn(talk, units)]}
    assert set(Talk("ten_1", conversation).checkpoints) <= ends


@given(first=conversations(), then=conversations())
def test_a_longer_conversation_finds_the_summaries_of_a_shorter_one(
    first: list[Item], then: list[Item]
) -> None:
    said = [*first, MessageItem(Role.ASSISTANT, "So it is.")]
    shorter = Talk("ten_1", said).checkpoints.items()
    assert shorter <= Talk("ten_1", [*said, *then]).checkpoints.items()


def loop(calls: int) -> list[Item]:
    said: list[Item] = [MessageItem(Role.USER, "Do it all.")]
    for number in range(calls):
        said.append(FunctionCall(f"call_{number}", "step", "{}"))
        said.append(FunctionCallOutput(f"call_{number}", f"step {number} is done"))
    return said


def test_a_long_loop_of_tools_is_whole_or_too_long() -> None:
    before = [MessageItem(Role.USER, "Hello."), MessageItem(Role.ASSISTANT, "Hello to you.")]
    needed = sum(map(FITTER.tokens, loop(20)))
    assert FITTER.fit([*before, *loop(20)], token_budget=needed).items == loop(20)
    with pytest.raises(MessageTooLong):
        FITTER.fit([*before, *loop(20)], token_budget=needed - 1)


def test_an_output_whose_call_lies_too_far_back_is_left_out_and_counted() -> None:
    stray = FunctionCallOutput("call_9", "what nobody knows the question of")
    said = [MessageItem(Role.ASSISTANT, "I see."), MessageItem(Role.USER, "Go on.")]
    window = FITTER.fit([stray, *said], token_budget=1_000)
    assert (window.items, window.dropped) == (said, 1)


def test_images_and_thoughts_take_room() -> None:
    image = MessageItem(Role.USER, [ImagePart("https://a.example/b.png")])
    assert FITTER.tokens(image) >= LARGEST_IMAGE_TOKENS
    assert FITTER.tokens(ReasoningItem(encrypted_content="x" * 4_000)) >= 1_000
    output = FunctionCallOutput("call_1", [ImagePart("https://a.example/b.png")])
    assert FITTER.tokens(output) >= LARGEST_IMAGE_TOKENS


def test_what_a_message_continues_has_to_be_answered_first() -> None:
    call, output = FunctionCall("call_1", "step", "{}"), FunctionCallOutput("call_1", "done")
    goes_on = MessageItem(Role.USER, "Never mind.")
    assert loose_end([call], [output, goes_on]) is None
    assert "'call_1', and no output" in (loose_end([call], [goes_on]) or "")
    assert "'call_1', which was not made" in (loose_end([goes_on], [output]) or "")
    other = FunctionCall("call_1", "step", '{"fast":true}')
    assert "'call_1', which was made before" in (loose_end([call], [other, output]) or "")
    assert loose_end([output], [goes_on]) is None, "its call lies further back than is read"


def test_a_summary_is_made_of_calls_and_outputs_but_of_no_thoughts() -> None:
    thought = ReasoningItem(encrypted_content="secret", summary=({"text": "hidden"},))
    seen = FunctionCallOutput("call_1", [ImagePart("https://a.example/b.png")])
    told = material(None, [thought, FunctionCall("call_1", "look", '{"at":1}'), seen, *loop(1)[2:]])
    assert told.splitlines()[1:-1] == [
        '{"role":"assistant","text":"look({\\"at\\":1})"}',
        '{"role":"tool","text":"(with an image or a file)"}',
        '{"role":"tool","text":"step 0 is done"}',
    ]
