"""`python -m deploy.scripted_provider --port 9000`: a scripted provider on its own."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys

import uvloop

from deploy.scripted_provider.provider import ScriptedProvider


def main() -> None:
    """Serve until SIGINT or SIGTERM; the first line printed is the URL."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.scripted_provider",
        description="Not a model: it echoes, and misbehaves as POST /script says.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    arguments = parser.parse_args()
    uvloop.run(_serve(ScriptedProvider(host=arguments.host, port=arguments.port)))


async def _serve(provider: ScriptedProvider) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with provider:
        sys.stdout.write(f"{provider.url}\n")
        sys.stdout.flush()
        await stopped.wait()


if __name__ == "__main__":
    main()
