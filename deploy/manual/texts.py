"""What stands around every page of the manual, in its languages."""

from collections.abc import Mapping
from typing import Final

AROUND: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "manual": "Pulsepost manual",
        "skip": "Skip to content",
        "contents": "Contents",
        "language": "Language",
        "console": "To the console",
        "pictures": "The pictures show made-up people.",
    },
    "ru": {
        "manual": "Руководство Pulsepost",
        "skip": "К содержанию страницы",
        "contents": "Содержание",
        "language": "Язык",
        "console": "В консоль",
        "pictures": "На снимках — вымышленные люди.",
    },
    "zh": {
        "manual": "Pulsepost 手册",
        "skip": "跳到正文",
        "contents": "目录",
        "language": "语言",
        "console": "前往控制台",
        "pictures": "图中人物均为虚构。",
    },
}
