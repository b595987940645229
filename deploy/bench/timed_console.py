"""The console as `python -m cloud console` serves it, saying of each answer how long it took: `Server-Timing`.

``app`` is the time in milliseconds from the request's arrival in the application to the first octet of its answer: the
session, the transaction with its commit and the rendered page lie in between. ``cpu`` is what the process computed
meanwhile, for whomever. The console itself tells nobody how long it takes.
"""

import os

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud import faults
from cloud.app import create_app, server
from cloud.config import console_settings
from deploy.bench import clock


class Timed:
    """Adds the header to every answer over HTTP."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun, computed = clock.monotonic(), clock.computed()

        async def timed(message: Message) -> None:
            if message["type"] == "http.response.start":
                app_ms, cpu_ms = (clock.monotonic() - begun) * 1000, (clock.computed() - computed) * 1000
                header = (b"server-timing", f"app;dur={app_ms:.3f}, cpu;dur={cpu_ms:.3f}".encode())
                message["headers"] = [*message["headers"], header]
            await send(message)

        await self._app(scope, receive, timed)


def main() -> None:
    """Serve on a free port of loopback until SIGTERM."""
    app = create_app(console_settings(os.environ))
    app.add_middleware(Timed)
    server(app, "127.0.0.1", 0, ready=lambda address: print(f"ready {address}", flush=True)).run()


if __name__ == "__main__":
    faults.write_without_values()
    main()
