"""Cases cut out of a ledger: what was said until then, and nothing that may not be kept."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import update

from deploy.cli.eval.cutting.cutting import CaseCutter
from deploy.cli.eval.cutting.redaction import Redactor
from shared.clock import ManualClock
from shared.evaluation.golden.checks import FactsCheck, JudgeCheck, SchemaCheck
from shared.messages.body import Body, encode_body
from shared.messages.item import MessageItem, Role
from shared.messages.part import ImagePart
from shared.persistence.engine import Database
from shared.persistence.statements import transaction
from shared.persistence.tables import message
from shared.settings.validation import ValidationSettings
from tests.integration.evaluation.conftest import TENANT, Say
from workers.judging.kept_message import NotCut


@pytest.fixture
def cutter(database: Database) -> CaseCutter:
    return CaseCutter(database, rubric="Good.", redactor=Redactor(ValidationSettings()))


async def test_a_case_has_what_was_said_until_then_and_nothing_after(
    cutter: CaseCutter, say: Say
) -> None:
    within = {"conversation_id": "conv_1"}
    await say("First.", **within)
    second = await say("Second.", **within)
    await say("Third.", **within)
    case = await cutter.case_of(second.id, tenant_id=TENANT)
    assert [each["content"] for each in case.input] == ["First.", "You said: First.", "Second."]  # type: ignore[index]
    assert case.conversation
    assert second.id not in repr(case)


async def test_secrets_and_personal_data_are_taken_out_everywhere(
    cutter: CaseCutter, say: Say
) -> None:
    key = "sk-" + "a1" * 20
    facts = {"email": {"type": "text", "value": "ada@example.com"}}
    asked = await say(
        f"My key is {key}.",
        {
            "instructions": "The boss is bob@example.com.",
            "metadata": {"forebay.facts": json.dumps(facts), "caller": "ada@example.com"},
            "user": "ada@example.com",
        },
    )
    case = await cutter.case_of(asked.id, tenant_id=TENANT)
    assert case.input == "My key is [removed]."
    assert case.request == {"instructions": "The boss is [removed]."}
    assert "example.com" not in repr(case)
    assert [type(each) for each in case.checks] == [FactsCheck, JudgeCheck]


async def test_what_is_asked_for_is_asked_for_again(cutter: CaseCutter, say: Say) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    form = {"format": {"type": "json_schema", "name": "a", "schema": schema}}
    asked = await say("Fill it in.", {"text": form, "temperature": 0.5})
    case = await cutter.case_of(asked.id, tenant_id=TENANT)
    assert case.request["temperature"] == 0.5
    assert case.request["text"]["format"]["schema"] == schema
    assert isinstance(case.checks[0], SchemaCheck)


async def test_what_may_not_be_kept_is_not_cut(
    cutter: CaseCutter, say: Say, database: Database, clock: ManualClock
) -> None:
    unstored = await say("Do not keep this.", store=False)
    with pytest.raises(NotCut, match="not to be stored"):
        await cutter.case_of(unstored.id, tenant_id=TENANT)
    erased = await say("Forget me.")
    forgotten = {"erased_at": clock.now() + timedelta(seconds=1)}
    async with transaction(database.durable) as connection:
        await connection.execute(update(message).where(message.c.id == erased.id), forgotten)
    for response_id, tenant in ((erased.id, TENANT), ("resp_0", TENANT), (unstored.id, "ten_2")):
        with pytest.raises(NotCut, match="gone, were erased"):
            await cutter.case_of(response_id, tenant_id=tenant)


async def test_what_cannot_be_asked_again_is_not_cut(cutter: CaseCutter, say: Say) -> None:
    image = ImagePart(image_url="data:image/png;base64,AAAA")
    body = Body(input=[MessageItem(Role.USER, [image])])
    seen = await say("", written=encode_body(body).decode())
    with pytest.raises(NotCut, match="images or files"):
        await cutter.case_of(seen.id, tenant_id=TENANT)
    other = await say("", written='{"shape":"of another version"}')
    with pytest.raises(NotCut, match="cannot be read by this version"):
        await cutter.case_of(other.id, tenant_id=TENANT)
    unread = await say("Hi.", {"metadata": {"forebay.facts": "nonsense"}})
    with pytest.raises(NotCut, match="cannot be read"):
        await cutter.case_of(unread.id, tenant_id=TENANT)
