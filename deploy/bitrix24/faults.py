"""What goes wrong with a request: before anything is done, after it is done, or so that nobody can tell."""

from datetime import timedelta
from enum import StrEnum
from typing import Final

# A request works for 60 s at most (the vendor's documentation); whoever waits for less does not see how it ends.
LATE_BY: Final = timedelta(seconds=55)


class Fault(StrEnum):
    """Of the next request."""

    BROKEN = "broken"  # 500 INTERNAL_SERVER_ERROR, nothing done
    DONE_AND_BROKEN = "done_and_broken"  # done, and 500
    BAD_GATEWAY = "bad_gateway"  # 502 with a page, nothing done
    UNAVAILABLE = "unavailable"  # 503 with a page, nothing done
    BUSY = "busy"  # 503 QUERY_LIMIT_EXCEEDED, nothing done
    WORKED_TOO_LONG = "worked_too_long"  # 429 OPERATION_TIME_LIMIT, nothing done
    GONE = "gone"  # hangs up, nothing done
    DONE_AND_GONE = "done_and_gone"  # done, and hangs up
    GONE_AND_DONE = "gone_and_done"  # hangs up, and does it LATE_BY later
    SILENT = "silent"  # no answer, nothing done
    DONE_AND_SILENT = "done_and_silent"  # done, and no answer
    DONE_AND_GARBLED = "done_and_garbled"  # done, and 200 with something that is no JSON
