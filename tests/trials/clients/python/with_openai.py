"""openai for Python, whatever its version: both surfaces, waiting and not."""

from __future__ import annotations

import openai
import talk
from openai_chat import Chat
from openai_responses import Responses
from talk import put_through


def main() -> None:
    major = openai.__version__.partition(".")[0]
    for kind, word in ((openai.OpenAI, ""), (openai.AsyncOpenAI, " async")):
        client, stranger = (kind(api_key=key, **talk.HERE) for key in (talk.KEY, talk.WRONG_KEY))
        for surface in (Responses(client, stranger), Chat(client, stranger)):
            put_through(f"openai {major}{word}, {type(surface).__name__.lower()}", surface)


if __name__ == "__main__":
    main()
