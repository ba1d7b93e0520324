"""Disables the garbage collector during a cold start.

Importing botocore makes tens of thousands of objects that stay for good, and the collector goes
through them again and again while they are made: a tenth of a cold start. Later, in the middle of
an image, going through them once takes another 20 ms. It looks for reference cycles only; all other
memory is freed as ever.
"""

import gc
import os


def on_lambda() -> bool:
    """Return whether this process is a Lambda function.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    return "LAMBDA_TASK_ROOT" in os.environ


def begin() -> None:
    """Pause the collector until `end`; called before a handler imports anything."""
    if on_lambda():
        gc.disable()


def end() -> None:
    """Let the collector work again, but never on what the start made: that stays for good."""
    if on_lambda():
        gc.freeze()
        gc.enable()
