"""Faults of definitions that statelint and the schema of the Amazon States Language do not find.

`scripts.lib.asl_check` checks whether AWS would accept a definition. These rules check whether it
does what it should once something fails: each is about a fault that deploys without a warning.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import botocore.session

# https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
STATES_ERRORS = frozenset(
    f"States.{name}"
    for name in (
        "ALL",
        "BranchFailed",
        "DataLimitExceeded",
        "ExceedToleratedFailureThreshold",
        "HeartbeatTimeout",
        "Http.Socket",
        "IntrinsicFailure",
        "ItemReaderFailed",
        "NoChoiceMatched",
        "ParameterPathFailure",
        "Permissions",
        "QueryEvaluationError",
        "ResultPathMatchFailure",
        "ResultWriterFailed",
        "Runtime",
        "TaskFailed",
        "Timeout",
    )
)

# What Step Functions reports of an invocation, in addition to the exceptions of Lambda's Invoke:
# https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html
_OF_THE_CLIENT = ("AWSLambdaException", "ClientExecutionTimeoutException", "SdkClientException")
_UNHANDLED = "Unknown"  # out of memory, timed out: the function could not say what failed

# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
MAX_NAME_CHARACTERS = 80

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
MAX_MESSAGES = 10

State = Mapping[str, Any]


@dataclass(frozen=True)
class Scope:
    """States that can lead to each other: those of the machine, of one branch or of a Map's items.

    Attributes:
        name: where they are, for a person.
        start: the name of the first one.
        states: all of them by name.
        has_executions: whether each run of them is an execution, whose error is that of its state.
    """

    name: str
    start: str
    states: Mapping[str, State]
    has_executions: bool = False


def problems(machine: Mapping[str, Any], function_errors: Collection[str]) -> list[str]:
    """Return what is wrong with a definition, a sentence each; an empty list if nothing is.

    Parameters:
        machine: the definition, with every substitution made.
        function_errors: the names of the errors that the functions raise.
    """
    scopes = list(_scopes("the state machine", machine))
    known_errors = STATES_ERRORS | lambda_errors() | set(function_errors)
    sentences = list(_repeated_names(scopes))
    for scope in scopes:
        sentences += _dangling(scope)
        sentences += _leading_back(scope)
        for name, state in scope.states.items():
            sentences += _of_state(scope, name, state, known_errors)
    return sentences


def template_problems(template: str) -> list[str]:
    """Return the ARNs in a template, which tie it to one partition, region or account."""
    return [
        f"{arn} is spelled out, so the definition deploys to one partition only: substitute it"
        for arn in re.findall(r'"(arn:[^"]*)"', template)
    ]


@lru_cache(maxsize=1)
def lambda_errors() -> frozenset[str]:
    """Return the names under which Step Functions reports faults of Lambda itself."""
    invoke = botocore.session.get_session().get_service_model("lambda").operation_model("Invoke")
    names = [shape.name for shape in invoke.error_shapes]
    return frozenset(f"Lambda.{name}" for name in (*names, *_OF_THE_CLIENT, _UNHANDLED))


def _scopes(name: str, machine: Mapping[str, Any]) -> Iterator[Scope]:
    yield Scope(
        name, machine["StartAt"], machine["States"], has_executions=_is_distributed(machine)
    )
    for state_name, state in machine["States"].items():
        if "ItemProcessor" in state:
            yield from _scopes(f"the items of {state_name}", state["ItemProcessor"])
        for number, branch in enumerate(state.get("Branches", []), start=1):
            yield from _scopes(f"branch {number} of {state_name}", branch)


def _is_distributed(machine: Mapping[str, Any]) -> bool:
    return bool(machine.get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED")


def _of_state(
    scope: Scope, name: str, state: State, known_errors: Collection[str]
) -> Iterator[str]:
    if len(name) > MAX_NAME_CHARACTERS:
        yield f"{name} is longer than the {MAX_NAME_CHARACTERS} characters of a state's name"
    yield from _of_type(scope, name, state)
    for kind in ("Retry", "Catch"):
        yield from _of_rules(name, kind, state.get(kind, []), known_errors)
    jsonata = state.get("QueryLanguage") == "JSONata"
    for catcher in state.get("Catch", []):
        if jsonata and "Output" not in catcher:
            yield f"{name} has a Catch without Output: the error replaces the whole input"
        if not jsonata and catcher.get("ResultPath", "$") == "$":
            yield f"{name} has a Catch without ResultPath: the error replaces the whole input"


def _of_type(scope: Scope, name: str, state: State) -> Iterator[str]:
    if state["Type"] == "Choice" and "Default" not in state:
        yield f"{name} has no Default: what matches no rule ends in States.NoChoiceMatched"
    if state["Type"] == "Task":
        yield from _of_task(scope, name, state)
    if "ItemProcessor" in state and _is_distributed(state["ItemProcessor"]):
        yield from _of_distributed_map(name, state)
    if state["Type"] == "Fail":
        yield from _unwritten_paths(scope, name, state)


def _of_task(scope: Scope, name: str, state: State) -> Iterator[str]:
    if "TimeoutSeconds" not in state:
        yield f"{name} has no TimeoutSeconds: it may wait for 99,999,999 seconds"
    if "Retry" not in state:
        yield f"{name} has no Retry: what would pass by itself fails for good"
    caught = any("States.ALL" in catcher["ErrorEquals"] for catcher in state.get("Catch", []))
    if not (caught or scope.has_executions):
        yield f"{name} has no Catch of States.ALL: an error ends the execution without its Fail"


def _of_distributed_map(name: str, state: State) -> Iterator[str]:
    """Yield what spoils a Distributed Map of very many items.

    What it returns may have 256 KiB, those of all its children together; and a redrive goes on with
    a Map that failed only where the execution ended in that state:
    https://docs.aws.amazon.com/step-functions/latest/dg/redrive-map-run.html
    AWS charges for each child, and SQS takes ten messages at a time.
    """
    batch = state.get("ItemBatcher", {}).get("MaxItemsPerBatch")
    if batch is None:
        yield f"{name} has no ItemBatcher with MaxItemsPerBatch: each item is a child, and charged"
    elif batch > MAX_MESSAGES:
        yield f"{name} has batches of {batch} items, of which SQS takes {MAX_MESSAGES} at a time"
    if "ResultWriter" not in state:
        yield f"{name} has no ResultWriter: its output grows with the number of items"
    if "Catch" in state:
        yield f"{name} has a Catch: a redrive would begin behind it, and leave out what failed"
    for limit in ("MaxConcurrency", "ToleratedFailurePercentage"):
        if limit not in state:
            yield f"{name} has no {limit}"


def _of_rules(
    name: str, kind: str, rules: list[Mapping[str, Any]], known_errors: Collection[str]
) -> Iterator[str]:
    seen: set[str] = set()
    for number, rule in enumerate(rules, start=1):
        where = f"{kind} {number} of {name}"
        errors = rule["ErrorEquals"]
        for error in errors:
            if error not in known_errors:
                yield f"{where} names {error}, which neither AWS nor a function raises"
            if error in seen or _is_covered(error, seen):
                yield f"{where} names {error}, which an earlier rule takes already"
        if "States.ALL" in errors and (len(errors) > 1 or number < len(rules)):
            yield f"{where} has States.ALL, which must stand alone and in the last rule"
        if rule.get("MaxDelaySeconds", 10**9) <= rule.get("IntervalSeconds", 1):
            yield f"{where} has a MaxDelaySeconds that is not more than its IntervalSeconds"
        seen.update(errors)


def _is_covered(error: str, seen: Collection[str]) -> bool:
    """Return whether a wildcard among the earlier errors matches this one.

    States.TaskFailed matches every error of a task but States.Timeout:
    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    """
    return "States.TaskFailed" in seen and not error.startswith("States.")


def _repeated_names(scopes: list[Scope]) -> Iterator[str]:
    counted = Counter(name for scope in scopes for name in scope.states)
    for name, count in counted.items():
        if count > 1:
            yield f"{name} names {count} states: names must be unique in the whole state machine"


def _dangling(scope: Scope) -> Iterator[str]:
    if scope.start not in scope.states:
        yield f"StartAt of {scope.name} is {scope.start}, which is not a state there"
    for name, state in scope.states.items():
        for target in _targets(state):
            if target not in scope.states:
                yield f"{name} leads to {target}, which is not a state of {scope.name}"


def _leading_back(scope: Scope) -> Iterator[str]:
    """Yield each state from which transitions lead back to itself: it could run for ever."""
    for name in scope.states:
        reached: set[str] = set()
        ahead = list(_targets(scope.states[name]))
        while ahead:
            target = ahead.pop()
            if target not in reached and target in scope.states:
                reached.add(target)
                ahead += _targets(scope.states[target])
        if name in reached:
            yield f"{name} can lead back to itself, so an execution may never end"


def _unwritten_paths(scope: Scope, name: str, state: State) -> Iterator[str]:
    """Yield a Fail's paths into an error that some Catch leading there does not write."""
    paths = [state[field] for field in ("ErrorPath", "CausePath") if field in state]
    for source, source_state in scope.states.items():
        for catcher in source_state.get("Catch", []):
            written = catcher.get("ResultPath", "$")
            for path in paths:
                if catcher["Next"] == name and not path.startswith(f"{written}."):
                    yield f"{name} reads {path}, but the Catch of {source} writes {written}"


def _targets(state: State) -> Iterator[str]:
    for field in ("Next", "Default"):
        if field in state:
            yield state[field]
    for rule in (*state.get("Choices", []), *state.get("Catch", [])):
        yield rule["Next"]
