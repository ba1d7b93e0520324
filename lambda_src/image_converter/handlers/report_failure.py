"""Report failure: send an event for each image whose execution failed for good.

CloudWatch Logs calls it with what Step Functions logs of failures, which is the same for STANDARD
and EXPRESS and needs no further state in the machine. An execution that fails for good enters a
Fail state, and the log line of that has the whole state: the image and the error. Executions that
time out or are stopped do not enter another state; the log only names them.
"""

import base64
import gzip
import json
from collections.abc import Iterator, Mapping
from typing import Any

from image_converter import clients, event_bus, executions, layer, log, settings
from image_converter.errors import PermanentError
from image_converter.event_bus import Bus
from image_converter.settings import EventSettings

clients.warm_up(clients.events)

# What Step Functions calls the errors of an execution that it does not give one itself.
_ENDED = {"ExecutionTimedOut": "States.Timeout", "ExecutionAborted": "States.Aborted"}


def handler(event: Mapping[str, Any], context: object) -> None:
    """Send the events for a batch of log lines.

    Args:
        event: what CloudWatch Logs sends to a subscriber.
        context: Lambda's context; not used.

    Raises:
        Exception: why an event could not be sent that may be sent later; of several, the first.
            All other events were sent. Lambda invokes the function twice more, which sends them
            again. An execution that somebody started by hand without an image in its input is only
            logged.
    """
    layer.check()
    config = settings.load(EventSettings)
    bus = Bus(config.event_bus, config.event_source)
    failures: list[Exception] = []
    for line in _logged(event):
        try:
            _report(bus, line)
        except Exception as failure:  # noqa: BLE001 - the other lines are reported all the same
            log.error("event not sent", execution=line["execution_arn"], error=repr(failure))
            if not isinstance(failure, PermanentError):
                failures.append(failure)
    if failures:
        raise failures[0]


def _logged(event: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield Step Functions' log lines in a subscriber's event.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
    """
    batch = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
    if batch["messageType"] == "DATA_MESSAGE":  # a CONTROL_MESSAGE only checks the function
        for entry in batch["logEvents"]:
            yield json.loads(entry["message"])


def _report(bus: Bus, line: Mapping[str, Any]) -> None:
    execution, details = line["execution_arn"], line.get("details") or {}
    if line["type"] == "FailStateEntered":
        state = json.loads(details["input"])
        error, cause = state["error"]["Error"], state["error"]["Cause"]
    elif line["type"] in _ENDED:
        state = executions.input_of(execution)
        error, cause = details.get("error") or _ENDED[line["type"]], details.get("cause") or ""
    else:
        return
    if state is None:
        log.error("the log does not say which image failed", execution=execution, error=error)
        return
    event_bus.send(
        bus, event_bus.NOT_CONVERTED, event_bus.not_converted(state, execution, error, cause)
    )
    log.info("failure reported", key=state["s3"]["object"]["key"], execution=execution)
