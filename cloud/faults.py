"""What our logs say of an error: its type, where it was, the database's code and names; never its message.

A message may quote a row ("Failing row contains", "Key (display_name)="), a form or a path, and who reads logs need not
care for the patient who stands there. Libraries log errors as they come: hence this is done where lines are written.
"""

import copy
import logging
import os
import re
import sys
import threading
from collections.abc import Iterator, Mapping
from traceback import walk_tb
from types import TracebackType
from typing import Final, TypeAlias

import psycopg

log = logging.getLogger(__name__)

LINE: Final = "%(asctime)s %(levelname)s %(name)s %(message)s"
# Of a long way the end: what goes round for ever says the same again and again.
FRAMES: Final = 40
# What tells of causes that have causes, or of many at once, ends somewhere.
ERRORS: Final = 10

_TRACEBACK: Final = "Traceback (most recent call last):"
_FRAME: Final = re.compile(r'^ *File "([^"\n]+)", line (\d+), in (\S+)$', re.MULTILINE)
_WHERE_IT_BEGINS: Final = re.compile(r"^.*[/\\](?:site-packages|lib[/\\]python[\d.]+)[/\\]")
_OURS: Final = ("cloud/", "alerting/")
_HERE: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep

_ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def named(error: BaseException) -> str:
    """The type, and what names no value: SQLSTATE, table, column and constraint; the system's number of its error.

    Why there is no connection to a database is said in its words: there was none yet that a row could have come by.
    """
    said = [type(error).__name__]
    if isinstance(error, psycopg.Error):
        said.extend(_of_database(error))
    elif isinstance(error, OSError) and error.errno is not None:
        said.append(f"{error.errno} ({os.strerror(error.errno)})")
    return " ".join(said)


def placed(error: BaseException) -> str:
    """In a few words: ``named``, and the innermost line that is ours."""
    frames = list(_frames(error))
    ours = [frame for frame in frames if frame.startswith(_OURS)] or frames
    return f"{named(error)} at {ours[-1]}" if ours else named(error)


def traced(error: BaseException) -> str:
    """With the way there, and what caused it: in place of a traceback."""
    return "\n".join(_lines(error, "", set()))


def write_without_values() -> None:
    """From now on everything that this process logs, and whatever ends one of its threads, goes to stderr like that."""
    handler = logging.StreamHandler()
    handler.setFormatter(WithoutValues(LINE))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    sys.excepthook = _ended
    sys.unraisablehook = _passed_over
    threading.excepthook = _ended_in_thread


class WithoutValues(logging.Formatter):
    """Errors in a line, behind a line, and as text within a line: all without their messages."""

    def format(self, record: logging.LogRecord) -> str:
        """Of the record as it is; others who format it get it unchanged."""
        plain = copy.copy(record)
        # Somebody else may have put a whole traceback there.
        plain.exc_text = None
        if isinstance(plain.msg, BaseException):
            plain.msg, plain.args = named(plain.msg), None
        if isinstance(plain.args, tuple):
            plain.args = tuple(map(_without_values, plain.args))
        elif isinstance(plain.args, Mapping):
            plain.args = {name: _without_values(one) for name, one in plain.args.items()}
        message = plain.getMessage()
        if isinstance(plain.exc_info, tuple) and plain.exc_info[1] is not None:
            message = _without_message(message, plain.exc_info[1])
        if plain.name == "asyncio":
            # The lines behind the first show tasks and callbacks with what they were given, and what became of them.
            message = message.partition("\n")[0].partition("(")[0]
        plain.msg, plain.args = _without_traceback(message), None
        return super().format(plain)

    def formatException(self, ei: _ExcInfo) -> str:  # noqa: N802 -- as the class above calls it
        """In place of a traceback."""
        return traced(ei[1]) if ei[1] is not None else ""


def _without_values(argument: object) -> object:
    return named(argument) if isinstance(argument, BaseException) else argument


def _of_database(error: psycopg.Error) -> Iterator[str]:
    if error.sqlstate:
        yield error.sqlstate
    diag = error.diag
    for kind, name in (("table", diag.table_name), ("column", diag.column_name), ("constraint", diag.constraint_name)):
        if name:
            yield f"{kind} {name}"
    if error.pgconn is not None and error.sqlstate is None:
        yield "(" + " ".join(str(error).split()) + ")"


def _lines(error: BaseException, relation: str, told: set[int]) -> Iterator[str]:
    """Each error once, whatever refers to whatever."""
    if id(error) in told or len(told) >= ERRORS:
        return
    told.add(id(error))
    yield f"{relation}{named(error)}"
    for frame in list(_frames(error))[-FRAMES:]:
        yield f"  at {frame}"
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _lines(one, "one of them: ", told)
    if error.__cause__ is not None:
        yield from _lines(error.__cause__, "caused by: ", told)
    elif error.__context__ is not None and not error.__suppress_context__:
        yield from _lines(error.__context__, "on the occasion of: ", told)


def _frames(error: BaseException) -> Iterator[str]:
    for frame, line in walk_tb(error.__traceback__):
        code = frame.f_code
        yield f"{_short(code.co_filename)}:{line} in {code.co_qualname}"


def _short(path: str) -> str:
    """From the package on."""
    return _WHERE_IT_BEGINS.sub("", path).removeprefix(_HERE)


def _without_message(line: str, error: BaseException) -> str:
    """A line that quotes the error that it is about."""
    for quoted in (repr(error), str(error)):
        if quoted:
            line = line.replace(quoted, named(error))
    return line


def _without_traceback(message: str) -> str:
    """A traceback that somebody made a text of: its frames alone."""
    before, found, traceback = message.partition(_TRACEBACK)
    if not found:
        return message
    frames = (f"  at {_short(path)}:{line} in {name}" for path, line, name in _FRAME.findall(traceback))
    return "\n".join([f"{before}an error", *frames])


def _ended(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        log.critical("ended by an error that nobody foresaw", exc_info=(kind, error, trace))


def _ended_in_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value is not None and not isinstance(ended.exc_value, SystemExit):
        name = ended.thread.name if ended.thread is not None else "that is gone"
        log.critical("thread %s ended by an error that nobody foresaw", name, exc_info=ended.exc_value)


def _passed_over(passed: "sys.UnraisableHookArgs") -> None:
    if passed.exc_value is not None:
        log.error("an error where nobody could take it", exc_info=passed.exc_value)
