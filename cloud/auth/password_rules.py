"""What a new password must be: long, not the login, none of those that are tried first. No rule of composition.

NIST SP 800-63B-4, section 3.1.1.2, asks for 15 characters where a password is all, 8 beside a second factor, for a list
of what is common, and for no mixture of kinds of characters; 12 is this project's proposal between the two.
"""

from importlib import resources
from typing import Final

SHORTEST: Final = 12
LONGEST: Final = 1000
# A login shorter than this stands in many words by chance.
SHORTEST_TELLING_LOGIN: Final = 4
LONGEST_REPEATED: Final = 8

# Of twelve characters and more, in small letters: what people who must think of something long think of first.
COMMON: Final = frozenset(
    resources.files("cloud.auth").joinpath("common_passwords.txt").read_text(encoding="utf-8").split()
)
SEQUENCES: Final = ("0123456789" * 4, "abcdefghijklmnopqrstuvwxyz" * 2, "abcdefghijklmnopqrstuvwxyz0123456789")


def why_not(password: str, login: str, display_name: str) -> str | None:
    """The code of what is wrong with it (a key of texts.OWN_SIGN_IN_REFUSALS), or None."""
    if len(password) < SHORTEST:
        return "too_short"
    if len(password) > LONGEST:
        return "too_long"
    folded = password.casefold().strip()
    if folded in (login.casefold(), display_name.casefold()):
        return "like_login"
    if len(login) >= SHORTEST_TELLING_LOGIN and login.casefold() in folded:
        return "like_login"
    return "too_common" if _is_common(folded) else None


def _is_common(folded: str) -> bool:
    bare = "".join(letter for letter in folded if letter.isalnum())
    if folded in COMMON or bare in COMMON:
        return True
    if any(folded in sequence or folded in sequence[::-1] for sequence in SEQUENCES):
        return True
    return any(_repeats(folded, period) for period in range(1, LONGEST_REPEATED + 1))


def _repeats(text: str, period: int) -> bool:
    return all(letter == text[place % period] for place, letter in enumerate(text))
