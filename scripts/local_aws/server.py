"""The process of the local AWS: ministack with what it lacks put in. Started by LocalAws.

Everything it needs to know is in its environment, which :mod:`scripts.local_aws.instance` makes.
"""

import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping
from logging.handlers import BufferingHandler
from pathlib import Path

from ministack import app
from ministack.core import persistence
from starlette.datastructures import Headers
from starlette.types import Scope

from scripts.local_aws import patches
from scripts.local_aws.gate import guarded, refusal
from scripts.local_aws.kept import UNSAVED_VARIABLE
from scripts.local_aws.patches import cors
from scripts.local_aws.replay import Replay

_END_SECONDS = 1  # for what still runs once the state is saved


def main() -> None:
    """Serve until a signal says to stop."""
    patches.install()
    port = int(os.environ["GATEWAY_PORT"])

    def check(scope: Scope) -> str | None:
        return refusal(Headers(scope=scope), port, invited=cors.invites(scope))

    app.app = guarded(Replay(app.app), check, cors.invites)
    app.save_all = _save_all
    sys.argv = sys.argv[:1]  # ministack parses the command line itself
    app.main()


def _save_all(services: Mapping[str, Callable[[], object]]) -> None:
    """Save the state of all services, note whether that worked, and end soon.

    The emulator only logs what it could not save. What still runs then, such as a Wait state in a
    Map, has no state left to save, and must not keep the process from ending.
    """
    failures = BufferingHandler(sys.maxsize)
    failures.setLevel(logging.ERROR)
    persistence.logger.addHandler(failures)
    persistence.save_all(services)
    if not failures.buffer:
        Path(os.environ[UNSAVED_VARIABLE]).unlink(missing_ok=True)
    end = threading.Timer(_END_SECONDS, os._exit, (0,))
    end.daemon = True
    end.start()


if __name__ == "__main__":
    main()
