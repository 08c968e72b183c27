"""Which clients are tried, what each needs, and the script that speaks with it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Runtime(StrEnum):
    PYTHON = "python"
    NODE = "node"


@dataclass(frozen=True, slots=True)
class Client:
    """`packages` are installed in their newest versions; the first one's is told in the table."""

    name: str
    script: str
    packages: tuple[str, ...]
    runtime: Runtime = Runtime.PYTHON


CLIENTS: Final = (
    Client("openai3", "with_openai.py", ("openai>=3,<4",)),
    Client("openai2", "with_openai.py", ("openai>=2,<3",)),
    Client("openai1", "with_openai.py", ("openai>=1,<2",)),
    Client("openai-node", "with_openai.mjs", ("openai", "zod"), Runtime.NODE),
    Client("anthropic", "with_anthropic.py", ("anthropic", "pydantic")),
    Client("anthropic-node", "with_anthropic.mjs", ("@anthropic-ai/sdk",), Runtime.NODE),
    Client("openai-agents", "with_openai_agents.py", ("openai-agents",)),
    Client("langchain", "with_langchain.py", ("langchain-openai",)),
    Client("litellm", "with_litellm.py", ("litellm",)),
    Client("pydantic-ai", "with_pydantic_ai.py", ("pydantic-ai-slim", "pydantic-ai-slim[openai]")),
    Client("instructor", "with_instructor.py", ("instructor",)),
    Client("llama-index", "with_llama_index.py", ("llama-index-llms-openai-like",)),
    Client("dspy", "with_dspy.py", ("dspy",)),
    Client("llm", "with_llm.py", ("llm",)),
    Client(
        "vercel-ai",
        "with_vercel_ai.mjs",
        ("ai", "@ai-sdk/openai", "@ai-sdk/openai-compatible", "@ai-sdk/anthropic", "zod"),
        Runtime.NODE,
    ),
)
