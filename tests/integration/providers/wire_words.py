"""The shortest answer in the words of each wire format."""

from __future__ import annotations

OPENAI, ANTHROPIC = "openai", "anthropic"

DELTA = '{"choices":[{"delta":{"content":"Hi"}}]}'
END = '{"choices":[{"delta":{},"finish_reason":"stop"}]}'
BLOCK = '{"type":"content_block_delta","delta":{"type":"text_delta","text":"Hi"}}'
STOP = '{"type":"message_delta","delta":{"stop_reason":"end_turn"}}'


def events(*data: str) -> bytes:
    return "".join(f"data: {each}\n\n" for each in data).encode()
