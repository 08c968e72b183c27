"""What is asked for: to weigh, design, prove, explain, or find a cause."""

from __future__ import annotations

from typing import Final

from workers.routing.complexity.reading import QuestionReading, terms

_DEMANDS: Final = terms("""
    advantages advise analyse analysis analyze architect architecture argue argument assess
    assumptions brainstorm cause causes compare comparing consequences consider contradict
    contradiction contrast criticise criticize critique debug decide deduce derive design
    determine devise diagnose disagree drawbacks estimate evaluate evidence explain forecast
    hypothesise hypothesize identify implement implications infer interpret interpretation
    investigate justify mitigate model negotiate optimal optimise optimising optimize optimizing
    persuade plan prioritise prioritize propose pros prove reason reasoning recommend
    recommendation reconcile redesign refactor refute rewrite risks roadmap simulate sketch
    step-by-step strategies strategy strongest synthesise synthesize think trade-off trade-offs
    tradeoff tradeoffs troubleshoot versus vs weigh why wrong
""")
_ELSEWHERE: Final = terms("""
    analysiere begründe beweise entwirf erkläre plane vergleiche warum wieso
    analyse compare conçois démontre explique justifie planifie pourquoi prouve
    analiza compara demuestra diseña explica justifica planifica
    analizza confronta dimostra perché progetta spiega
    analise compare demonstre explique justifique projete
""")
# Written without spaces between words.
_UNSPACED: Final = (
    "为什么",
    "比较",
    "设计",
    "证明",
    "分析",
    "解释",
    "なぜ",
    "比較",
    "設計",
    "証明",
)
_BY_COUNT: Final = (0.0, 0.55, 0.8, 0.9)


def measure(reading: QuestionReading) -> float:
    """0 for none of the words that ask for thought, and soon 1 for several."""
    count = len(reading.vocabulary & _DEMANDS)
    if not count:
        count = _elsewhere(reading)
    return _BY_COUNT[count] if count < len(_BY_COUNT) else 1.0


def _elsewhere(reading: QuestionReading) -> int:
    """The same in the languages that English speakers meet most."""
    count = len(reading.vocabulary & _ELSEWHERE)
    if not reading.text.isascii():
        count += sum(word in reading.text for word in _UNSPACED)
    return count
