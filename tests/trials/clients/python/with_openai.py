"""openai for Python, whatever its version: both surfaces, waiting and not."""

from __future__ import annotations

import openai
from openai_chat import Chat
from openai_responses import Responses
from talk import KEY, URL, WRONG_KEY, put_through


def main() -> None:
    major = openai.__version__.partition(".")[0]
    for kind, word in ((openai.OpenAI, ""), (openai.AsyncOpenAI, " async")):
        client, stranger = (
            kind(base_url=URL, api_key=key, max_retries=0, timeout=30) for key in (KEY, WRONG_KEY)
        )
        for surface in (Responses(client, stranger), Chat(client, stranger)):
            put_through(f"openai {major}{word}, {type(surface).__name__.lower()}", surface)


if __name__ == "__main__":
    main()
