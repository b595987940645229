"""What a browser calls itself, as people would: ``Firefox, Windows``."""

from typing import Final

# The first that is found counts: Edge and Opera also say Chrome, Chrome also says Safari.
_NAMES: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("YaBrowser/", "Yandex"),
    ("MicroMessenger/", "WeChat"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def spoken(user_agent: str) -> str:
    """Browser and system; whatever else calls itself something, as it does."""
    found = [next((name for sign, name in signs if sign in user_agent), None) for signs in (_NAMES, _SYSTEMS)]
    known = [name for name in found if name]
    return ", ".join(known) if found[0] else user_agent
