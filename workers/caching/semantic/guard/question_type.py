"""Equal question type: "when was it built" is not "who built it"."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from workers.caching.semantic.guard.question import GuardedQuestion
from workers.caching.semantic.guard.vocabulary.word_set import word_set


class QuestionType(StrEnum):
    """What kind of answer is asked for."""

    PERSON = "who"
    TIME = "when"
    PLACE = "where"
    REASON = "why"
    NUMBER = "how many"
    PRICE = "how much"
    DURATION = "how long"
    FREQUENCY = "how often"
    AGE = "how old"
    DISTANCE = "how far"
    MANNER = "how"
    CHOICE = "whether"
    THING = "what"
    ANY = "any"
    """A request or a statement, which goes with every type."""


_AFTER_HOW: Final = {
    "many": QuestionType.NUMBER,
    "much": QuestionType.PRICE,
    "long": QuestionType.DURATION,
    "often": QuestionType.FREQUENCY,
    "frequently": QuestionType.FREQUENCY,
    "old": QuestionType.AGE,
    "far": QuestionType.DISTANCE,
    "soon": QuestionType.TIME,
    "come": QuestionType.REASON,
    "expensive": QuestionType.PRICE,
    "fast": QuestionType.DURATION,
    "quickly": QuestionType.DURATION,
    "tall": QuestionType.NUMBER,
    "high": QuestionType.NUMBER,
    "big": QuestionType.NUMBER,
}
_AFTER_WHAT: Final = {
    "time": QuestionType.TIME, "date": QuestionType.TIME, "day": QuestionType.TIME,
    "year": QuestionType.TIME, "month": QuestionType.TIME, "place": QuestionType.PLACE,
    "location": QuestionType.PLACE, "address": QuestionType.PLACE, "city": QuestionType.PLACE,
    "country": QuestionType.PLACE, "reason": QuestionType.REASON, "cause": QuestionType.REASON,
    "causes": QuestionType.REASON, "caused": QuestionType.REASON, "cost": QuestionType.PRICE,
    "costs": QuestionType.PRICE, "price": QuestionType.PRICE, "age": QuestionType.AGE,
    "distance": QuestionType.DISTANCE, "person": QuestionType.PERSON,
    "number": QuestionType.NUMBER, "height": QuestionType.NUMBER, "makes": QuestionType.REASON,
    "writer": QuestionType.PERSON, "author": QuestionType.PERSON, "people": QuestionType.PERSON,
    "period": QuestionType.DURATION, "weather": QuestionType.ANY,
    "name": QuestionType.ANY,
}  # fmt: skip
_PLAIN: Final = {
    "who": QuestionType.PERSON,
    "whom": QuestionType.PERSON,
    "whose": QuestionType.PERSON,
    "when": QuestionType.TIME,
    "where": QuestionType.PLACE,
    "why": QuestionType.REASON,
}
_WHAT_MAY_BE: Final = frozenset(
    {
        QuestionType.THING, QuestionType.MANNER, QuestionType.NUMBER, QuestionType.PRICE,
        QuestionType.DURATION,
    }
)  # fmt: skip
"""What "what are the steps", "what is the rate", "what amount" may ask for."""
_AUXILIARIES: Final = word_set(
    "is are was were do does did can could will would should shall may might must has have had am"
)
_WAYS: Final = (("way",), ("option",), ("possibility",))
_AFTER_PRICE: Final = _AUXILIARIES | {"for", "to", "the", "a", "an", "my", "your"}
_TIMES: Final = frozenset({"seconds", "minutes", "hours", "days", "weeks", "months", "years"})
_ASKS_FIRST: Final = frozenset({"can", "could", "would", "will"})
_LEADS_IN: Final = word_set(
    "know tell me explain say show us ask wonder wondering understand about sure out see check "
    "remember describe and of on learn"
)


def differ_in_question_type(asked: GuardedQuestion, stored: GuardedQuestion) -> bool:
    """Whether they ask for answers of two kinds."""
    ours, theirs = question_type(asked), question_type(stored)
    if ours is theirs or QuestionType.ANY in (ours, theirs):
        return False
    if QuestionType.THING in (ours, theirs):
        return not {ours, theirs} <= _WHAT_MAY_BE
    return True


def question_type(question: GuardedQuestion) -> QuestionType:
    """By its first question word that does not merely join two clauses."""
    words = question.lower
    for place, word in enumerate(words):
        following = words[place + 1] if place + 1 < len(words) else ""
        if word == "how":
            return _of_how(following, words[place + 2 : place + 3])
        if word in {"what", "which"}:
            return _of_what(words[place + 1 : place + 7])
        if word in _PLAIN and _asks(words, place, following):
            return _PLAIN[word]
    return _without_question_word(words)


def _of_how(following: str, counted: tuple[str, ...]) -> QuestionType:
    found = _AFTER_HOW.get(following, QuestionType.MANNER)
    if found is QuestionType.PRICE and following == "much" and counted:
        # "how much is it" asks for a price, "how much sleep" for an amount.
        return found if counted[0] in _AFTER_PRICE else QuestionType.NUMBER
    if found is QuestionType.NUMBER and counted and counted[0] in _TIMES:
        return QuestionType.DURATION
    return found


def _of_what(following: tuple[str, ...]) -> QuestionType:
    """`what time`, `what is the price`: the noun says what is asked for."""
    content = [word for word in following if word not in {"is", "was", "are", "the", "a", "s"}]
    if {"cost", "price"} & set(content):
        return QuestionType.PRICE
    found = _AFTER_WHAT.get(content[0]) if content else None
    return found or QuestionType.THING


def _asks(words: tuple[str, ...], place: int, following: str) -> bool:
    if words[place] in {"why", "who", "whom", "whose"}:
        return True
    before = words[place - 1] if place else ""
    return following in _AUXILIARIES or before in _LEADS_IN or (place == 0 and len(words) < 5)


def _without_question_word(words: tuple[str, ...]) -> QuestionType:
    if not words or words[0] not in _AUXILIARIES:
        return QuestionType.ANY
    if words[0] in _ASKS_FIRST and words[1:2] == ("you",):
        return QuestionType.ANY  # "can you reset my password" is a request
    if words[1:2] == ("there",) and words[3:4] in _WAYS:
        return QuestionType.ANY  # "is there a way to" asks how
    return QuestionType.CHOICE
