"""The distribution's Chromium, as a person would use it."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, Playwright, async_playwright

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
_SERIOUS: Final = {"serious", "critical"}
_REFUSED: Final = "Failed to load resource"
_PATIENCE_MS: Final = 30_000


class BrowserPage:
    """A page, and what went wrong in it: errors of its scripts, what its policy forbade, and what a
    door refused it, unless it `may_be_refused`.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.may_be_refused = False
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._hear)

    async def complaints(self) -> list[str]:
        """What axe-core finds serious or worse: each rule, with the elements that break it."""
        found = await Axe().run(self.page)
        return [
            f"{rule['id']}: {[node['html'][:160] for node in rule['nodes']]}"
            for rule in found.response["violations"]
            if rule["impact"] in _SERIOUS
        ]

    def _hear(self, said: Any) -> None:
        # Of a door that is away, or that a test makes refuse, no page is at fault.
        if said.type == "error" and not (self.may_be_refused and _REFUSED in said.text):
            self.errors.append(f"{said.text} {said.location.get('url', '')}")


class Chromium:
    """One browser for all tests of a process. Each page has a context of its own: no cookie, no
    storage and no cache of another.
    """

    def __init__(self, playwright: Playwright) -> None:
        self._playwright = playwright
        self._browser: Browser | None = None

    @asynccontextmanager
    async def page(self, url: str, **context: Any) -> AsyncIterator[BrowserPage]:
        """A new one, which has gone nowhere yet; `context` as playwright has it."""
        browser = await self._running()
        # axe-core is put into the page by the test, which the page's own policy would forbid.
        made = await browser.new_context(base_url=url, bypass_csp=False, **context)
        try:
            made.set_default_timeout(_PATIENCE_MS)
            yield BrowserPage(await made.new_page())
        finally:
            await made.close()

    async def close(self) -> None:
        """End it."""
        if self._browser is not None:
            await self._browser.close()

    async def _running(self) -> Browser:
        if self._browser is None or not self._browser.is_connected():
            root = ["--no-sandbox"] if os.geteuid() == 0 else []
            self._browser = await self._playwright.chromium.launch(
                executable_path=CHROMIUM, args=root
            )
        return self._browser


@asynccontextmanager
async def running_chromium() -> AsyncIterator[Chromium]:
    """It starts with its first page."""
    async with async_playwright() as playwright:
        chromium = Chromium(playwright)
        try:
            yield chromium
        finally:
            await chromium.close()
