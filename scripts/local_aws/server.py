"""The process of the local AWS: ministack with what it lacks put in. Started by LocalAws.

Everything it needs to know is in its environment, which :mod:`scripts.local_aws.instance` makes.
"""

import os
import sys

from ministack import app
from starlette.datastructures import Headers
from starlette.types import Scope

from scripts.local_aws import patches
from scripts.local_aws.gate import Gate, refusal
from scripts.local_aws.patches import cors
from scripts.local_aws.replay import Replay


def main() -> None:
    """Serve until a signal says to stop."""
    patches.install()
    port = int(os.environ["GATEWAY_PORT"])

    def check(scope: Scope) -> str | None:
        return refusal(Headers(scope=scope), port, invited=cors.invites(scope))

    app.app = Gate(Replay(app.app), check, cors.invites)
    sys.argv = sys.argv[:1]  # ministack parses the command line itself
    app.main()


if __name__ == "__main__":
    main()
