"""Record executions of a local AWS (or AWS) as it reports them: for `histories/local`.

python -m tests.support.recordings.record_local NAME=ARN...
"""

import json
import os
import sys
from collections.abc import Sequence

from scripts.lib.aws import Clients
from tests.support.recordings import record


def main(arguments: Sequence[str]) -> None:
    """Save the history of each execution under its name."""
    states = Clients(os.environ).stepfunctions
    for argument in arguments:
        name, arn = argument.split("=", 1)
        machine = states.describe_state_machine_for_execution(executionArn=arn)
        pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
        events = [dict(event) for page in pages for event in page["events"]]
        recorded = {
            "executionArn": arn,
            "definition": json.loads(machine["definition"]),
            "events": events,
        }
        record.save("local", name, recorded)


if __name__ == "__main__":
    main(sys.argv[1:])
