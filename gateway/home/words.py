"""The page's words in each of its languages. No word tells a value, a name, or what a value means."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

Language = Literal["en", "ru", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "ru", "zh")
OWN_NAMES: dict[Language, str] = {"en": "English", "ru": "Русский", "zh": "中文"}
# As HTML and HTTP call them.
TAGS: dict[Language, str] = {"en": "en", "ru": "ru", "zh": "zh-Hans"}

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Sentences with places in braces."""

    title: str
    as_of: str
    stale: str
    connected: str
    away: str
    kept: str
    waiting: str
    trouble: str
    no_devices: str
    kinds: dict[str, str]
    user: str
    due: str
    measured: str
    received: str
    made: str
    now: str
    later: str
    not_seen: str
    nothing_today: str
    nothing_planned: str
    unknown: str
    measured_at: str
    not_yet: str
    last: str
    unclear: str
    received_at: str
    received_then: str
    some_wait: str
    all_wait: str
    nothing_to_send: str
    is_checked: str
    read_at: str
    never_read: str
    not_watched: str
    yesterday: str


WORDS: dict[Language, Words] = {
    "en": Words(
        title="Measurements at home",
        as_of="As of {time}",
        stale="This page no longer hears from the gateway: what it shows is old. Is the gateway switched on?",
        connected="Connected to the clinic",
        away="No connection to the clinic since {time}",
        kept="Measurements are kept here safely, and are sent as soon as it is back.",
        waiting="Waiting to be sent: {count}",
        trouble="The gateway cannot keep measurements now. Please call your clinic's support; your devices keep them.",
        no_devices="No device is set up on this gateway yet.",
        kinds={"glucose": "Blood glucose", "ketone": "Ketones", "blood_pressure": "Blood pressure"},
        user="user {user}",
        due="Due",
        measured="Measured",
        received="Received",
        made="{window}: measured {time}",
        now="{window}: please measure now",
        later="{window}: later today",
        not_seen="{window}: no measurement has come here",
        nothing_today="Nothing is due today.",
        nothing_planned="Nothing is planned with this device.",
        unknown="What is due is not known here: the clinic has not said lately.",
        measured_at="Today {time}",
        not_yet="Not yet today.",
        last="Before that: {time}",
        unclear="A measurement was read at {time}. When it was made is not known: the device's clock may be wrong.",
        received_at="By your care team {time}",
        received_then="By your care team",
        some_wait="Still waiting to be sent: {count}",
        all_wait="Not yet: waiting to be sent ({count})",
        nothing_to_send="Nothing to send today yet.",
        is_checked="The clinic has one, and checks it before it counts.",
        read_at="The device was last read {time}.",
        never_read="The device has not been read yet.",
        not_watched=(
            "Nobody is called by this page. If you feel unwell, do not wait: call your care team,"
            " and in an emergency the emergency number."
        ),
        yesterday="yesterday {time}",
    ),
    "ru": Words(
        title="Измерения дома",
        as_of="По состоянию на {time}",
        stale="Страница больше не получает данных от шлюза: показанное устарело. Включён ли шлюз?",
        connected="Связь с клиникой есть",
        away="Связь с клиникой прервана: {time}",
        kept="Измерения надёжно хранятся здесь и будут отправлены, как только связь появится.",
        waiting="Ожидают отправки: {count}",
        trouble=(
            "Шлюз сейчас не может сохранять измерения. Позвоните в поддержку клиники;"
            " измерения остаются в памяти приборов."
        ),
        no_devices="На этом шлюзе пока не настроен ни один прибор.",
        kinds={"glucose": "Глюкоза крови", "ketone": "Кетоны", "blood_pressure": "Артериальное давление"},
        user="пользователь {user}",
        due="Нужно измерить",
        measured="Измерено",
        received="Получено",
        made="{window}: измерено в {time}",
        now="{window}: измерьте, пожалуйста, сейчас",
        later="{window}: сегодня позже",
        not_seen="{window}: измерение сюда не поступило",
        nothing_today="На сегодня ничего не запланировано.",
        nothing_planned="Для этого прибора измерения не запланированы.",
        unknown="Что нужно измерить, здесь неизвестно: клиника давно не сообщала.",
        measured_at="Сегодня в {time}",
        not_yet="Сегодня ещё нет.",
        last="До этого: {time}",
        unclear="В {time} прочитано измерение. Когда оно сделано, неизвестно: возможно, часы прибора неверны.",
        received_at="Вашей медицинской командой в {time}",
        received_then="Вашей медицинской командой",
        some_wait="Ещё ожидают отправки: {count}",
        all_wait="Ещё нет: ожидают отправки ({count})",
        nothing_to_send="Сегодня отправлять пока нечего.",
        is_checked="Одно измерение получено, клиника проверяет его, прежде чем учесть.",
        read_at="Прибор последний раз прочитан: {time}.",
        never_read="Прибор ещё ни разу не прочитан.",
        not_watched=(
            "Эта страница никого не вызывает. Если вам плохо, не ждите: позвоните своей медицинской команде,"
            " а в экстренном случае — по номеру экстренной помощи."
        ),
        yesterday="вчера в {time}",
    ),
    "zh": Words(
        title="家中测量",
        as_of="截至 {time}",
        stale="本页面已收不到网关的消息，显示的内容已过时。网关是否已通电？",
        connected="已与诊所连接",
        away="自 {time} 起无法连接诊所",
        kept="测量结果安全保存在此，连接恢复后立即发送。",
        waiting="等待发送：{count}",
        trouble="网关目前无法保存测量结果。请致电诊所的技术支持；测量结果仍保存在您的设备中。",
        no_devices="此网关尚未设置任何设备。",
        kinds={"glucose": "血糖", "ketone": "血酮", "blood_pressure": "血压"},
        user="用户 {user}",
        due="待测",
        measured="已测",
        received="已收到",
        made="{window}：已于 {time} 测量",
        now="{window}：请现在测量",
        later="{window}：今天稍后",
        not_seen="{window}：此处未收到测量结果",
        nothing_today="今天没有需要测量的项目。",
        nothing_planned="此设备没有测量计划。",
        unknown="此处不知道需要测量什么：诊所最近没有告知。",
        measured_at="今天 {time}",
        not_yet="今天尚未测量。",
        last="上一次：{time}",
        unclear="{time} 读取了一次测量，测量时间不明：设备的时钟可能不准。",
        received_at="您的医护团队已于 {time} 收到",
        received_then="您的医护团队已收到",
        some_wait="仍在等待发送：{count}",
        all_wait="尚未：等待发送（{count}）",
        nothing_to_send="今天还没有需要发送的。",
        is_checked="诊所已收到一次测量，核对后才会计入。",
        read_at="上次读取设备：{time}。",
        never_read="尚未读取过该设备。",
        not_watched="本页面不会呼叫任何人。如感不适，请勿等待：请致电您的医护团队，紧急情况请拨打急救电话。",
        yesterday="昨天 {time}",
    ),
}


def day(at: date, language: Language) -> str:
    """A day of this year as locals write it."""
    match language:
        case "en":
            return f"{at.day} {_MONTHS[at.month - 1]}"
        case "ru":
            return f"{at.day:02}.{at.month:02}"
        case "zh":
            return f"{at.month}月{at.day}日"


def chosen(accept_language: str, otherwise: Language) -> Language:
    """The first language of an Accept-Language header (RFC 9110, 12.5.4) that the page has, by the reader's weights."""
    wanted: list[tuple[float, int, str]] = []
    for place, part in enumerate(accept_language.split(",")[:20]):
        tag, _, weight = part.strip().partition(";")
        wanted.append((-_weight(weight), place, tag.strip().lower().partition("-")[0]))
    for weight_below, _, tag in sorted(wanted):
        for language in LANGUAGES:
            if tag == language and weight_below < 0:
                return language
    return otherwise


def _weight(text: str) -> float:
    """1 where none is given; 0 (not wanted) where it is no number."""
    if not text.strip():
        return 1.0
    try:
        return float(text.strip().removeprefix("q="))
    except ValueError:
        return 0.0
