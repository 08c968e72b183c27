"""instructor: every answer is a structure, by tools or by a schema, whole and in pieces."""

from __future__ import annotations

from typing import Any

import instructor
import openai
from pydantic import BaseModel
from talk import (
    FIRST,
    IMAGE_URL,
    KEY,
    MODEL,
    PICTURE,
    URL,
    WRONG_KEY,
    put_through,
    raises,
)

ADA = ("Ada", 1843)


class Author(BaseModel):
    name: str
    year: int


class Instructor:
    def __init__(self, mode: instructor.Mode) -> None:
        self.mode = mode
        self.client = self._client()

    def _client(self, key: str = KEY) -> Any:
        plain = openai.OpenAI(base_url=URL, api_key=key, max_retries=0, timeout=30)
        return instructor.from_openai(plain, mode=self.mode)

    def _ask(self, said: Any, client: Any = None, **more: Any) -> Any:
        messages = [{"role": "user", "content": said}]
        asking = {"model": MODEL, "messages": messages, "max_retries": 0, **more}
        return (client or self.client).chat.completions.create(
            **{"response_model": Author} | asking
        )

    def structured(self) -> None:
        told = self._ask(FIRST)
        assert (told.name, told.year) == ADA, told

    def stream(self) -> None:
        *_, last = self._ask(FIRST, response_model=instructor.Partial[Author], stream=True)
        assert (last.name, last.year) == ADA, last

    def image(self) -> None:
        parts = [PICTURE + " " + FIRST, instructor.Image.from_base64(IMAGE_URL)]
        told = self._ask(parts)
        assert (told.name, told.year) == ADA, told

    def error(self) -> None:
        raises(Exception, lambda: self._ask(FIRST, temperature=9), "temperature")
        stranger = self._client(WRONG_KEY)
        raises(Exception, lambda: self._ask(FIRST, stranger), "401")


def main() -> None:
    modes = (
        instructor.Mode.TOOLS,
        instructor.Mode.TOOLS_STRICT,
        instructor.Mode.JSON_SCHEMA,
        instructor.Mode.RESPONSES_TOOLS,
    )
    for mode in modes:
        put_through(f"instructor, {mode.value}", Instructor(mode))


if __name__ == "__main__":
    main()
