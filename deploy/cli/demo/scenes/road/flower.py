"""What Flower saw of all this."""

from __future__ import annotations

import aiohttp

from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.stage import Stage, until
from shared.queueing.task_names import TaskName


async def flower(stage: Stage) -> Told:
    url, state = f"{stage.state.flower_url}/api/tasks", stage.state
    async with stage.session.get(url) as response:
        expect(response.status == 401, f"Without a login it answered {response.status}.")
    login = aiohttp.BasicAuth(state.flower_user or "", state.flower_password or "")
    # Alone it would have nothing to look at.
    await stage.visitor.post("Who watches the workers?")
    finished: dict[str, object] = {}

    async def has_tasks() -> bool:
        query = {"taskname": TaskName.ANSWER.value, "state": "SUCCESS", "limit": "1000"}
        async with stage.session.get(url, auth=login, params=query) as response:
            finished.update(await response.json() if response.status == 200 else {})
        return bool(finished)

    expect(await until(has_tasks), "Its API lists no finished task.")
    return Told(
        f"Flower's API lists {len(finished)} finished `{TaskName.ANSWER}` tasks; without its login "
        "it says nothing.",
        {"finished_tasks": len(finished), "status_without_login": 401},
    )
