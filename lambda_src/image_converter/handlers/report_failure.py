"""Report failure: send an event of each image whose execution failed for good.

CloudWatch Logs calls it with what Step Functions logs of failures, which is the same for STANDARD
and EXPRESS and takes no state of the machine. The Fail states of the machine are where an
execution is given up, and what is logged of them has the whole state: the image and the error.
Executions that time out or are stopped enter no state any more; the log names them only.
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
        Exception: why the first event could not be sent that may be sent later. The others were
            sent; Lambda invokes the function twice more, which sends them again. An execution whose
            input names no image, which somebody started by hand, is only logged.
    """
    layer.check()
    config = settings.load(EventSettings)
    bus = Bus(config.event_bus, config.event_source)
    failures: list[Exception] = []
    for line in _logged(event):
        try:
            _report(bus, line)
        except Exception as failure:  # noqa: BLE001 - one line keeps no other from being reported
            log.error("event not sent", execution=line["execution_arn"], error=repr(failure))
            if not isinstance(failure, PermanentError):
                failures.append(failure)
    if failures:
        raise failures[0]


def _logged(event: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the lines of Step Functions in a subscriber's event.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
    """
    batch = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
    if batch["messageType"] == "DATA_MESSAGE":  # CONTROL_MESSAGE asks whether anybody is there
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
