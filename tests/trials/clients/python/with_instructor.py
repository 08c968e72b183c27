"""instructor: every answer is a structure, by tools or by a schema, whole and in pieces."""

from __future__ import annotations

from typing import Any

import instructor
import openai
import talk
from author import ADA, Author
from talk import put_through, raises, user


def is_ada(told: Any) -> bool:
    """It is of a class that instructor made of the author's."""
    return (told.name, told.year) == (ADA.name, ADA.year)


class Instructor:
    def __init__(self, mode: instructor.Mode) -> None:
        self.mode = mode
        self.client = self._client()

    def _client(self, key: str = talk.KEY) -> Any:
        plain = openai.OpenAI(api_key=key, **talk.HERE)
        return instructor.from_openai(plain, mode=self.mode)

    def _ask(self, said: Any, client: Any = None, **more: Any) -> Any:
        messages = [user(said)]
        asking = {"model": talk.MODEL, "messages": messages, "max_retries": 0, **more}
        return (client or self.client).chat.completions.create(
            **{"response_model": Author} | asking
        )

    def structured(self) -> None:
        told = self._ask(talk.FIRST)
        assert is_ada(told), told

    def stream(self) -> None:
        *_, last = self._ask(talk.FIRST, response_model=instructor.Partial[Author], stream=True)
        assert is_ada(last), last

    def image(self) -> None:
        parts = [talk.PICTURE + " " + talk.FIRST, instructor.Image.from_base64(talk.IMAGE_URL)]
        told = self._ask(parts)
        assert is_ada(told), told

    def error(self) -> None:
        with raises(Exception, "temperature"):
            self._ask(talk.FIRST, temperature=9)
        stranger = self._client(talk.WRONG_KEY)
        with raises(Exception, "401"):
            self._ask(talk.FIRST, stranger)


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
