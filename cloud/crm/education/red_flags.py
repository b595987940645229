"""Words that make a question one about symptoms, so that whoever asks is told first whom to call. Pure.

The words are proposals of this project, after the red flags of ``alerting.red_flags``. They find what they find: a
question without any of them is shown the same sentence above the form, and is read by a nurse. Nothing is decided by
them but what the page says, and by when somebody answers.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

# Beginnings of words, small letters, as people write them; Chinese has no gaps between words.
WORDS: Final[Mapping[str, Sequence[str]]] = {
    "en": (
        "chest pain", "pain in my chest", "pain in the chest", "heart attack", "stroke", "faint",
        "unconscious", "passed out", "collaps", "short of breath", "breathless", "cannot breathe",
        "can't breathe", "can’t breathe", "paralys", "numb", "slurred", "cannot speak", "can't speak",
        "seizure", "convuls", "confus", "bleeding", "vomit", "severe headache", "worst headache", "vision",
        "suicid", "kill myself", "overdose", "dizz", "i feel", "swollen", "very low", "very high",
    ),
    "ru": (
        "боль в груди", "боли в груди", "болит в груди", "болит грудь", "инфаркт", "инсульт", "обморок",
        "потерял сознание", "потеряла сознание", "без сознания", "одышк", "задыха", "трудно дышать",
        "не могу дышать", "парали", "онеме", "немеет", "невнятн", "не могу говорить", "судорог", "спутан",
        "кровотеч", "рвот", "сильная головная боль", "зрени", "самоубий", "покончить с собой", "передозиров",
        "головокруж", "кружится голова", "чувствую", "отек", "отёк", "очень низк", "очень высок",
    ),
    "zh": (
        "胸痛", "胸口痛", "胸闷", "心梗", "心脏病发", "中风", "晕倒", "昏迷", "失去意识", "气短", "呼吸困难",
        "喘不过气", "瘫痪", "麻木", "说话不清", "说不出话", "抽搐", "意识模糊", "出血", "呕吐", "剧烈头痛",
        "视力", "看不清", "自杀", "过量", "头晕", "我感觉", "我觉得", "肿", "很低", "很高",
    ),
}  # fmt: skip
_GAPPED: Final = re.compile(
    "|".join(rf"\b{re.escape(word)}" for code in ("en", "ru") for word in WORDS[code]), re.IGNORECASE
)


def found_in(text: str) -> bool:
    """Whether it says a word that may be a symptom; in any of the languages, whatever the reader's is."""
    text = " ".join(text.split())
    return _GAPPED.search(text) is not None or any(word in text for word in WORDS["zh"])
