"""Which passages there are, whatever a store proposes."""

from __future__ import annotations

from shared.index.documents.passage_rows import PassageRows

from .index_ledger import GENERATION, TENANT, IndexLedger, chunks_of


async def test_a_passage_is_there_from_its_plan_to_its_retirement(index: IndexLedger) -> None:
    rows = PassageRows(index.database)
    await index.offer("a.py")
    held = await index.one()
    kept, gone = [(GENERATION, each.point_id) for each in chunks_of(held, ["kept", "gone"])]
    assert await rows.of_points(TENANT, [kept, gone]) == {}

    await index.plan(held, "kept", "gone")
    planned = await rows.of_points(TENANT, [kept, gone])
    assert planned.keys() == {kept, gone}
    assert not any(each.is_searchable for each in planned.values())

    await index.finish(held, "kept", "gone")
    written = await rows.of_points(TENANT, [kept, gone, (GENERATION, "unknown")])
    assert written.keys() == {kept, gone}
    assert all(each.is_searchable and each.path == "a.py" for each in written.values())

    await index.index("a.py", "kept", size=2)
    assert (await rows.of_points(TENANT, [kept, gone])).keys() == {kept}


async def test_no_passage_of_another_tenant_or_generation_is_there(index: IndexLedger) -> None:
    rows = PassageRows(index.database)
    document = await index.index("a.py", "kept")
    (point,) = chunks_of(document, ["kept"])

    assert await rows.of_points("ten_other", [(GENERATION, point.point_id)]) == {}
    assert await rows.of_points(TENANT, [("g-000000000002", point.point_id)]) == {}
    assert await rows.of_points(TENANT, []) == {}
