"""A client's newest version, in a folder of its own."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.trials.clients.client import Client, Runtime

SCRIPTS: Final = Path(__file__).parent
_SECONDS: Final = 600


class NotInstalled(Exception):
    """What the installer said."""


class Installed:
    """A client that can be run; raises NotInstalled where the machine gives none of it."""

    def __init__(self, client: Client, folder: Path) -> None:
        self.client = client
        self.folder = folder / client.name
        self.folder.mkdir(parents=True)
        try:
            {Runtime.PYTHON: self._with_uv, Runtime.NODE: self._with_npm}[client.runtime]()
        except (OSError, subprocess.SubprocessError) as error:
            said = getattr(error, "stderr", "") or ""
            raise NotInstalled(f"{error} {said[-500:]}") from error

    @property
    def command(self) -> tuple[str, ...]:
        """What runs its script."""
        script = self.folder / "scripts" / self.client.script
        if self.client.runtime is Runtime.NODE:
            return ("node", str(script))
        return (str(self._python), str(script))

    @property
    def version(self) -> str:
        """Of the package that the client is named for."""
        package = re.split(r"[<>=\[]", self.client.packages[0])[0]
        if self.client.runtime is Runtime.NODE:
            about = json.loads(
                (self.folder / "node_modules" / package / "package.json").read_text()
            )
            return str(about["version"])
        ask = f"import importlib.metadata as m; print(m.version({package!r}))"
        return _run(str(self._python), "-c", ask).strip()

    @property
    def _python(self) -> Path:
        return self.folder / "venv" / "bin" / "python"

    def _with_uv(self) -> None:
        uv = str(Path(sys.executable).with_name("uv"))
        _run(uv, "venv", "--quiet", "--python", sys.executable, str(self.folder / "venv"))
        python = ("--python", str(self._python))
        _run(uv, "pip", "install", "--quiet", *python, *self.client.packages)
        shutil.copytree(SCRIPTS / "python", self.folder / "scripts")

    def _with_npm(self) -> None:
        prefix = ("--prefix", str(self.folder))
        _run("npm", "install", "--no-audit", "--no-fund", *prefix, *self.client.packages)
        # Node looks for what a script imports in the folders above it.
        shutil.copytree(SCRIPTS / "node", self.folder / "scripts")


def _run(*command: str) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=_SECONDS, check=True, cwd="/"
    )
    return done.stdout
