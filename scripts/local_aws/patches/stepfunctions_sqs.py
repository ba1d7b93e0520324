"""Step Functions: a Task sends a batch of messages as the SDK integration of AWS does.

Left to the emulator, its entries would not arrive, and JSONata would write them in ASCII.
Sources: https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html and
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
"""

from typing import Any, Final

import botocore.session
from botocore.validate import ParamValidator
from jsonata.functions import Functions
from ministack.services import sqs, stepfunctions

from scripts.local_aws import jsonata_text

_RESOURCE: Final = "arn:aws:states:::aws-sdk:sqs:sendMessageBatch"
_SERVICE: Final = botocore.session.get_session().get_service_model("sqs")
_OPERATION: Final = _SERVICE.operation_model("SendMessageBatch")


def install() -> None:
    """Put in the integration and JSONata's text."""
    stepfunctions._SERVICE_DISPATCH[_RESOURCE] = _send
    Functions._string = staticmethod(jsonata_text.text)


def _send(_resource: str, arguments: dict[str, Any]) -> dict[str, Any]:
    # Unlike the optimised integration, this one does not make text of an object.
    report = ParamValidator().validate(arguments, _SERVICE.shape_for("SendMessageBatchRequest"))
    if report.has_errors():
        raise stepfunctions._ExecutionError("States.Runtime", report.generate_report())
    try:
        answer = sqs._act_send_message_batch(arguments, arguments["QueueUrl"])
    except sqs._Err as error:
        raise stepfunctions._ExecutionError(_error_name(error.code), error.message) from error
    result: dict[str, Any] = stepfunctions._sdk_json_value(answer, _OPERATION.output_shape)
    return result


def _error_name(code: str) -> str:
    """Return the name of an error, which always has the suffix; what SQS does not list has one."""
    listed = {shape.name for shape in _OPERATION.error_shapes}
    return f"Sqs.{code}Exception" if code in listed else "Sqs.SqsException"
