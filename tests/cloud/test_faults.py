"""No value of a row, a form or a path gets into a log by way of an error."""

import asyncio
import io
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from cloud.db.connect import open_connection
from cloud.faults import LINE, WithoutValues, named, placed, traced
from tests.fix_services import Database

SECRET = "Canary Quillfeather"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What a process would write of the logger ``test``, and of those of Python's own that tell of errors."""
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    handler.setFormatter(WithoutValues(LINE))
    loggers = [logging.getLogger(name) for name in ("test", "asyncio")]
    for logger in loggers:
        logger.addHandler(handler)
    yield lines
    for logger in loggers:
        logger.removeHandler(handler)


def refused(database: Database) -> psycopg.Error:
    """A row that the database does not take; its message quotes it."""
    with closing(open_connection(database.admin_url, "test")) as connection:
        insert = "INSERT INTO patient (display_name, time_zone, mrn) VALUES (%s, 'UTC', %s)"
        connection.execute(insert, (SECRET, SECRET))
        with pytest.raises(psycopg.errors.UniqueViolation) as caught:
            connection.execute(insert, (SECRET, SECRET))
    assert SECRET in str(caught.value)
    return caught.value


def test_of_a_row_that_is_refused_a_log_has_the_code_the_names_and_the_lines(
    database: Database, written: io.StringIO
) -> None:
    error = refused(database)
    assert named(error) == "UniqueViolation 23505 table patient constraint patient_mrn"

    def fail() -> None:
        try:
            raise ValueError(SECRET) from error
        except ValueError:
            raise KeyError(SECRET)  # noqa: B904 -- what comes of it while another is at hand

    with pytest.raises(KeyError) as caught:
        fail()
    logging.getLogger("test").error("of %s", caught.value, exc_info=caught.value)
    assert placed(caught.value).startswith("KeyError at tests/cloud/test_faults.py:")
    said = written.getvalue()
    assert SECRET not in said
    for part in ("of KeyError\n", "on the occasion of: ValueError", "caused by: UniqueViolation 23505 table patient"):
        assert part in said
    assert "  at tests/cloud/test_faults.py:" in said
    assert "  at psycopg/connection.py:" in said


@pytest.mark.parametrize(
    "said",
    [
        "{error}",
        "{error!r}",
        'Traceback (most recent call last):\n  File "/x/cloud/app.py", line 7, in page\n    {error}\n',
    ],
)
def test_a_line_that_quotes_its_error_is_written_without_the_quotation(written: io.StringIO, said: str) -> None:
    error = ValueError(f"{SECRET}\nDETAIL: {SECRET}")
    logging.getLogger("test").error(said.format(error=error), exc_info=error)
    assert SECRET not in written.getvalue()
    assert "ValueError" in written.getvalue()


def test_a_traceback_that_came_as_text_is_written_as_its_frames(written: io.StringIO) -> None:
    text = (
        f'Traceback (most recent call last):\n  File "/x/cloud/app.py", line 7, in page\n    name\nKeyError: {SECRET}'
    )
    logging.getLogger("test").error(text)
    assert written.getvalue().endswith("an error\n  at /x/cloud/app.py:7 in page\n")


def test_an_error_as_a_line_or_in_one_is_named(written: io.StringIO) -> None:
    logger, error = logging.getLogger("test"), RuntimeError(SECRET)
    logger.error(error)
    logger.error("%(what)s", {"what": error})
    logger.error("%s and %s", 1, OSError(98, SECRET))
    assert [line.split(" test ")[1] for line in written.getvalue().splitlines()] == [
        "RuntimeError",
        "RuntimeError",
        "1 and OSError 98 (Address already in use)",
    ]


def test_a_handler_beside_ours_leaves_us_no_traceback(written: io.StringIO) -> None:
    """pytest's own, here: whoever formats first keeps the text in the record."""
    record = logging.LogRecord("test", logging.ERROR, "", 1, "failed", None, (ValueError, ValueError(SECRET), None))
    assert SECRET in logging.Formatter().format(record)
    assert SECRET not in WithoutValues(LINE).format(record)
    assert SECRET in logging.Formatter().format(record)


def test_errors_of_many_and_errors_that_cause_each_other_come_to_an_end() -> None:
    first, second = ValueError(SECRET), KeyError(SECRET)
    first.__cause__, second.__cause__ = second, first
    assert traced(ExceptionGroup(SECRET, [first, OSError(SECRET)])).splitlines() == [
        "ExceptionGroup",
        "one of them: ValueError",
        "caused by: KeyError",
        "one of them: OSError",
    ]


def test_a_way_that_goes_round_is_told_from_its_end() -> None:
    def round_and_round() -> None:
        round_and_round()

    with pytest.raises(RecursionError) as caught:
        round_and_round()
    assert 10 < len(traced(caught.value).splitlines()) < 60


def test_why_there_is_no_connection_is_said_in_full() -> None:
    with pytest.raises(psycopg.OperationalError) as caught:
        psycopg.connect("host=127.0.0.1 port=1 user=somebody password=a-secret dbname=x")
    assert "Connection refused" in named(caught.value)
    assert "a-secret" not in named(caught.value)


async def test_a_task_that_nobody_awaited_is_told_without_what_it_was_given(written: io.StringIO) -> None:
    async def failing(name: str) -> None:
        raise ValueError(name)

    def call(name: str) -> None:
        raise ValueError(name)

    loop = asyncio.get_running_loop()
    loop.call_soon(call, SECRET)
    task = asyncio.create_task(failing(SECRET), name=SECRET)
    await asyncio.wait([task])
    loop.call_exception_handler(
        {"message": "Task exception was never retrieved", "exception": task.exception(), "task": task}
    )
    said = written.getvalue()
    assert SECRET not in said
    assert "Exception in callback" in said
    assert "Task exception was never retrieved" in said
    assert said.count("\nValueError\n") == 2


@pytest.mark.parametrize(
    ("deed", "told"),
    [
        ("raise ValueError(SECRET)", "ended by an error that nobody foresaw\nValueError\n  at <string>:"),
        (
            "t = threading.Thread(target=int, args=(SECRET,), name='n'); t.start(); t.join()",
            "thread n ended by an error that nobody foresaw\nValueError\n  at threading.py:",
        ),
        ("x = Falling(); del x", "an error where nobody could take it\nValueError\n  at <string>:"),
        ("logging.getLogger('uvicorn.error').error('failed', exc_info=ValueError(SECRET))", "failed\nValueError"),
    ],
)
def test_whatever_ends_a_process_or_a_thread_is_told_like_that(deed: str, told: str) -> None:
    script = f"""
import logging, threading
from cloud import faults
SECRET = {SECRET!r}
class Falling:
    def __del__(self):
        raise ValueError(SECRET)
faults.write_without_values()
{deed}
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert told in done.stderr
    assert SECRET not in done.stderr + done.stdout


def test_nothing_is_changed_by_what_the_tests_import() -> None:
    """The hooks are those of a process: whoever calls a command in another one keeps their own."""
    assert threading.excepthook.__module__ != "cloud.faults"
    assert sys.excepthook.__module__ != "cloud.faults"
