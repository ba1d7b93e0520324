"""The rendered state machines pass every check, and every check fails on a broken copy."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from scripts.lib import asl, asl_check
from scripts.lib.functions import TASKS
from scripts.lib.paths import REPOSITORY
from tests.aws_contract import asl_rules
from tests.support.asl import rendering

pytestmark = pytest.mark.exercised("schema")

TERRAFORM = REPOSITORY / "terraform" / "state_machine.tf"
MOST_COLUMNS = 100

Machine = dict[str, Any]
Break = Callable[[Machine], object]

SCHEMA = json.loads((Path(__file__).parent / "vendor" / "asl_schema.json").read_text("utf-8"))


def statelint(machine: Machine) -> list[str]:
    return asl_check.problems(json.dumps(machine))


def schema(machine: Machine) -> list[str]:
    return [
        str(error.message) for error in Draft202012Validator(SCHEMA["schema"]).iter_errors(machine)
    ]


def rules(machine: Machine) -> list[str]:
    return asl_rules.problems(machine, rendering.FUNCTION_ERRORS)


def state(machine: Machine, name: str) -> dict[str, Any]:
    """Return a state of the machine, of one of its branches or of a Map's items."""
    if name in machine["States"]:
        definition: dict[str, Any] = machine["States"][name]
        return definition
    branches = [b for s in machine["States"].values() for b in s.get("Branches", [])]
    branches += [s["ItemProcessor"] for s in machine["States"].values() if "ItemProcessor" in s]
    branches += [
        s["ItemProcessor"] for b in branches for s in b["States"].values() if "ItemProcessor" in s
    ]
    return next(b["States"][name] for b in branches if name in b["States"])


def _retrier(machine: Machine, number: int) -> dict[str, Any]:
    retrier: dict[str, Any] = state(machine, "GetFileType")["Retry"][number]
    return retrier


def _catcher(machine: Machine, name: str) -> dict[str, Any]:
    catcher: dict[str, Any] = state(machine, name)["Catch"][0]
    return catcher


def backfill() -> Machine:
    rendered: Machine = json.loads(rendering.backfill())
    return rendered


@pytest.mark.parametrize("make", [rendering.machine, backfill])
@pytest.mark.parametrize("check", [statelint, schema, rules])
def test_the_rendered_definition_passes(
    check: Callable[[Machine], list[str]], make: Callable[[], Machine]
) -> None:
    assert check(make()) == []


@pytest.mark.parametrize("file", [asl.TEMPLATE, asl.BACKFILL, asl.BACKFILL_BATCH])
def test_the_template_names_no_partition(file: Path) -> None:
    assert asl_rules.template_problems(asl.template(file)) == []


# What only our rules see of the backfill.
OF_THE_BACKFILL: dict[str, tuple[Break, str]] = {
    "results that nobody writes": (
        lambda m: state(m, "SendObjects").pop("ResultWriter"),
        "SendObjects has no ResultWriter",
    ),
    "a Catch of what a redrive is for": (
        lambda m: state(m, "SendRows").update(
            Catch=[{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "QuitInput"}]
        ),
        "SendRows has a Catch",
    ),
    "as many children as there are objects": (
        lambda m: state(m, "SendLines").pop("MaxConcurrency"),
        "SendLines has no MaxConcurrency",
    ),
    "a child for each object": (
        lambda m: state(m, "SendObjects").pop("ItemBatcher"),
        "SendObjects has no ItemBatcher",
    ),
    "batches that SQS does not take": (
        lambda m: state(m, "SendRows")["ItemBatcher"].update(MaxItemsPerBatch=11),
        "SendRows has batches of 11 items",
    ),
    "a Task of a child without timeout": (
        lambda m: state(m, "SendEntryBatch").pop("TimeoutSeconds"),
        "SendEntryBatch has no TimeoutSeconds",
    ),
    "a Task of a child that gives up at once": (
        lambda m: state(m, "SendObject").pop("Retry"),
        "SendObject has no Retry",
    ),
    "a message that is lost among those that fail": (
        lambda m: state(m, "SendLine")["Catch"][0].pop("Output"),
        "SendLine has a Catch without Output",
    ),
    "a child's Choice without Default": (
        lambda m: state(m, "CheckRowBatch").pop("Default"),
        "CheckRowBatch has no Default",
    ),
}


@pytest.mark.parametrize("fault", OF_THE_BACKFILL)
def test_our_rules_find_what_spoils_a_backfill(fault: str) -> None:
    spoil, sentence = OF_THE_BACKFILL[fault]
    broken = backfill()
    spoil(broken)
    assert any(sentence in problem for problem in rules(broken)), rules(broken)
    assert (statelint(broken), schema(broken)) == ([], [])


def test_names_are_unique_in_all_children() -> None:
    broken = backfill()
    rows, lines = (broken["States"][name]["ItemProcessor"] for name in ("SendRows", "SendLines"))
    broken["States"]["SendLines"]["ItemProcessor"] = rows
    assert any("ReadRowBatch names 2 states" in problem for problem in rules(broken))
    assert statelint(broken)
    assert rows != lines


def test_an_arn_in_the_template_is_found() -> None:
    template = asl.template()
    tied = template.replace("${copy_file_arn}", rendering.function_arn("copy_file"))
    assert len(asl_rules.template_problems(tied)) == 1


# What only our rules see: were it deployed, AWS would take it.
ONLY_OURS: dict[str, tuple[Break, str]] = {
    "a Choice without Default": (
        lambda m: state(m, "CheckFileType").pop("Default"),
        "no Default",
    ),
    "a Task without timeout": (
        lambda m: state(m, "ResizeImage").pop("TimeoutSeconds"),
        "ResizeImage has no TimeoutSeconds",
    ),
    "a Task without Catch": (
        lambda m: state(m, "WriteToDynamoDb").pop("Catch"),
        "no Catch of States.ALL",
    ),
    "a Catch that leads back": (
        lambda m: _catcher(m, "WriteToDynamoDb").update(Next="GetFileType"),
        "lead back to itself",
    ),
    "a Next that leads back": (
        lambda m: state(m, "WriteToDynamoDb").update(Next="ProcessFile"),
        "lead back to itself",
    ),
    "a misspelt error of Lambda": (
        lambda m: _retrier(m, 1)["ErrorEquals"].append("Lambda.TooManyRequestException"),
        "names Lambda.TooManyRequestException",
    ),
    "a misspelt error of States": (
        lambda m: _retrier(m, 2).update(ErrorEquals=["States.TaskFail", "States.Timeout"]),
        "names States.TaskFail",
    ),
    "an error that no function raises": (
        lambda m: _retrier(m, 0)["ErrorEquals"].append("BrokenImage"),
        "names BrokenImage",
    ),
    "States.ALL before another rule": (
        lambda m: state(m, "GetFileType")["Retry"].reverse(),
        "States.ALL, which must stand alone and in the last rule",
    ),
    "States.ALL next to another name": (
        lambda m: _retrier(m, 3)["ErrorEquals"].append("States.Permissions"),
        "States.ALL, which must stand alone",
    ),
    "permanent errors behind States.TaskFailed": (
        lambda m: state(m, "GetFileType")["Retry"].insert(
            0, state(m, "GetFileType")["Retry"].pop(2)
        ),
        "names DamagedImage, which an earlier rule takes already",
    ),
    "a longest delay below the interval": (
        lambda m: _retrier(m, 1).update(MaxDelaySeconds=1, IntervalSeconds=2),
        "MaxDelaySeconds",
    ),
    "a Catch that replaces the input": (
        lambda m: _catcher(m, "CopyToDestination").pop("ResultPath"),
        "without ResultPath",
    ),
    "an ErrorPath that nothing writes": (
        lambda m: state(m, "QuitResize").update(ErrorPath="$.failure.Error"),
        "QuitResize reads $.failure.Error",
    ),
}

# What statelint sees too, and AWS would refuse.
SEEN_BY_STATELINT: dict[str, Break] = {
    "a dangling Next": lambda m: state(m, "GetFileType").update(Next="CheckType"),
    "a dangling Default": lambda m: state(m, "CheckFileType").update(Default="DeleteFile"),
    "a dangling Catch": lambda m: _catcher(m, "CopyToDestination").update(Next="QuitMain"),
    "a dangling StartAt": lambda m: m.update(StartAt="Start"),
    "a branch that leads out": lambda m: _lead_out(state(m, "ResizeImage")),
}

# What AWS would refuse and neither our rules nor this project's Terraform look for again.
LEFT_TO_THE_OTHERS: dict[str, tuple[Callable[[Machine], list[str]], Break]] = {
    "an unreachable state": (statelint, lambda m: m["States"].update(Lost={"Type": "Succeed"})),
    "an unknown field": (statelint, lambda m: state(m, "GetFileType").update(Timeout=3)),
    "a wait below zero": (statelint, lambda m: _retrier(m, 1).update(IntervalSeconds=-1)),
    "a factor below one": (schema, lambda m: _retrier(m, 1).update(BackoffRate=0.5)),
    "a Choice that compares nothing": (
        schema,
        lambda m: state(m, "CheckFileType")["Choices"][0].pop("StringEquals"),
    ),
    "a delay beyond a year": (schema, lambda m: _retrier(m, 1).update(MaxDelaySeconds=31622401)),
    "a version that does not exist": (schema, lambda m: m.update(Version="2.0")),
    "a state without an end": (schema, lambda m: state(m, "DeleteSourceFile").pop("End")),
}


def _lead_out(task: dict[str, Any]) -> None:
    del task["End"]
    task["Next"] = "WriteToDynamoDb"


@pytest.mark.parametrize("fault", ONLY_OURS)
def test_our_rules_find_what_the_others_miss(fault: str) -> None:
    spoil, sentence = ONLY_OURS[fault]
    broken = rendering.machine()
    spoil(broken)
    assert any(sentence in problem for problem in rules(broken)), rules(broken)
    # Should one of the two learn it some day, our rule can go.
    assert (statelint(broken), schema(broken)) == ([], [])


@pytest.mark.parametrize("fault", SEEN_BY_STATELINT)
def test_dangling_transitions_are_found_twice(fault: str) -> None:
    broken = rendering.machine()
    SEEN_BY_STATELINT[fault](broken)
    assert statelint(broken)
    assert rules(broken)


@pytest.mark.parametrize("fault", LEFT_TO_THE_OTHERS)
def test_statelint_or_the_schema_finds_the_rest(fault: str) -> None:
    check, spoil = LEFT_TO_THE_OTHERS[fault]
    broken = rendering.machine()
    spoil(broken)
    assert check(broken)


def test_a_name_is_found_that_two_branches_share() -> None:
    broken = rendering.machine()
    branches = broken["States"]["ProcessFile"]["Branches"]
    branches[1]["States"]["QuitCopy"] = branches[0]["States"]["QuitCopy"]
    assert any("QuitCopy names 2 states" in problem for problem in rules(broken))


def test_a_name_is_found_that_is_too_long() -> None:
    broken = rendering.machine()
    name = "Q" * 81
    broken["States"][name] = broken["States"].pop("GetFileType")
    broken["StartAt"] = name
    assert any("longer than the 80 characters" in problem for problem in rules(broken))


def test_every_permanent_error_is_retried_by_no_state() -> None:
    tasks = {name: state(rendering.machine(), name) for name in STATES_OF_FUNCTIONS}
    base = {"PermanentError", "ConversionError"}  # never raised themselves
    for name, task in tasks.items():
        first = task["Retry"][0]
        assert first["MaxAttempts"] == 0, name
        assert set(first["ErrorEquals"]) == rendering.FUNCTION_ERRORS - base, name
    # What Terraform makes is compared with this in test_inventory.py; here is a quick look.
    listed = re.search(r"permanent_errors = \[(.*?)\]", TERRAFORM.read_text("utf-8"), re.DOTALL)
    assert listed is not None
    assert set(re.findall(r'"(\w+)"', listed[1])) == rendering.FUNCTION_ERRORS - base


def test_all_tasks_try_again_by_the_same_rules() -> None:
    assert asl.template().count('"Retry": ${task_retry}') == len(STATES_OF_FUNCTIONS)
    assert asl.template().count('"Retry"') == len(STATES_OF_FUNCTIONS)
    assert max(map(len, asl.template().splitlines())) <= MOST_COLUMNS
    assert asl.template(asl.BACKFILL_BATCH).count('"Retry": ${task_retry}') == 2


def test_the_errors_of_lambda_are_those_that_aws_advises_to_retry() -> None:
    """https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html."""
    for name in STATES_OF_FUNCTIONS:
        assert set(state(rendering.machine(), name)["Retry"][1]["ErrorEquals"]) == {
            "Lambda.AWSLambdaException",
            "Lambda.ClientExecutionTimeoutException",
            "Lambda.SdkClientException",
            "Lambda.ServiceException",
            "Lambda.TooManyRequestsException",
        }


def test_every_substitution_is_a_value_of_terraform() -> None:
    arns = {f"{function}_arn" for function in TASKS}
    texts = {"task_retry", "write_to_dynamodb_input"}
    assert asl.placeholders(asl.template()) == arns | set(rendering.TIMES) | texts


STATES_OF_FUNCTIONS = (
    "GetFileType",
    "CopyToDestination",
    "ResizeImage",
    "WriteToDynamoDb",
    "DeleteSourceFile",
)
