"""The real state machine as a value: the ASL file, with what this file uses of the language.

Executions are frames that are replaced, never changed. Waits take no time here.
"""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from scripts.lib.functions import TASKS
from tests.durability.simulation.replay import Handlers
from tests.support.asl import rendering

Path = tuple[int, ...]  # of branches, from the outermost; () is the execution itself


class Task(NamedTuple):
    """A Task state whose function is running.

    Attributes:
        data: the state's input, as JSON.
        tries: how often each of its Retry rules was used.
        node: where the invocation stands.
    """

    state: str
    data: str
    tries: tuple[int, ...]
    node: int


class Parallel(NamedTuple):
    """A Parallel state whose branches are running."""

    state: str
    data: str
    branches: "tuple[Frame, ...]"


class Done(NamedTuple):
    """An execution, or a branch, that succeeded; its output as JSON."""

    output: str


class Failed(NamedTuple):
    """An execution, or a branch, that failed; its Fail state's input as JSON."""

    error: str
    cause: str
    data: str


Frame = Task | Parallel | Done | Failed


def definition(retries: int = 2) -> dict[str, Any]:
    """Return the state machine, each function's name standing for its ARN."""
    attempts = {name: retries for name in rendering.NUMBERS if name.endswith("_max_attempts")}
    text = rendering.filled({name: name for name in TASKS}, **attempts)
    rendered: dict[str, Any] = json.loads(text)
    return rendered


class Machine:
    """Runs executions of a definition, a step at a time."""

    def __init__(self, handlers: Handlers, definition: Mapping[str, Any]) -> None:
        self._handlers = handlers
        self._definition = definition
        # The same frame comes to the same node in many interleavings.
        self.advance = lru_cache(maxsize=None)(self._advance)
        self.fail = lru_cache(maxsize=None)(self._give_up)

    def start(self, event: str) -> Frame:
        """Return a new execution."""
        return self._begin(self._definition, event)

    def _advance(self, frame: Frame, path: Path, node: int) -> Frame:
        """Return the execution after the invocation at that path has come to the node."""
        states = self._states(path)
        return self._replaced(
            frame, path, lambda task: self._moved(states, task._replace(node=node))
        )

    def _give_up(self, frame: Frame, path: Path, error: str, cause: str) -> Frame:
        """Return the execution after the invocation at that path has failed with that error."""
        states = self._states(path)
        return self._replaced(frame, path, lambda task: self._fail(states, task, error, cause))

    def _states(self, path: Path) -> Mapping[str, Any]:
        """Return the states among which a path's frame moves; there is one level of branches."""
        if not path:
            states: Mapping[str, Any] = self._definition["States"]
            return states
        parallel = next(
            state for state in self._definition["States"].values() if state["Type"] == "Parallel"
        )
        inner: Mapping[str, Any] = parallel["Branches"][path[0]]["States"]
        return inner

    def _begin(self, machine: Mapping[str, Any], data: str) -> Frame:
        return self._enter(machine["States"], machine["StartAt"], data)

    def _enter(self, states: Mapping[str, Any], name: str, data: str) -> Frame:
        state = states[name]
        match state["Type"]:
            case "Task":
                node = self._handlers.start(state["Resource"], _payload(state, data))
                return self._moved(states, Task(name, data, (0,) * len(state["Retry"]), node))
            case "Choice":
                return self._enter(states, _choice(state, json.loads(data)), data)
            case "Parallel":
                branches = tuple(self._begin(branch, data) for branch in state["Branches"])
                return Parallel(name, data, branches)
            case "Fail":
                fields = json.loads(data)
                error, cause = _get(fields, state["ErrorPath"]), _get(fields, state["CausePath"])
                return Failed(error, cause, data)
            case kind:
                raise NotImplementedError(f"a state of type {kind}")

    def _leave(self, states: Mapping[str, Any], name: str, data: str, result: Any) -> Frame:
        state = states[name]
        if "ResultSelector" in state:
            result = {
                field.removesuffix(".$"): _get(result, path)
                for field, path in state["ResultSelector"].items()
            }
        after = _with(json.loads(data), state.get("ResultPath", "$"), result)
        output = json.dumps(_get(after, state.get("OutputPath", "$")), sort_keys=True)
        return Done(output) if state.get("End") else self._enter(states, state["Next"], output)

    def _moved(self, states: Mapping[str, Any], task: Task) -> Frame:
        """Return what a task becomes, which it is itself while its invocation asks for more."""
        node = self._handlers.nodes[task.node]
        if node.request is not None:
            return task
        if node.error:
            return self._fail(states, task, node.error, node.cause)
        return self._leave(states, task.state, task.data, json.loads(node.result or "null"))

    def _fail(self, states: Mapping[str, Any], task: Task, error: str, cause: str) -> Frame:
        state = states[task.state]
        for number, rule in enumerate(state["Retry"]):
            if _matches(rule["ErrorEquals"], error):
                if task.tries[number] < rule["MaxAttempts"]:
                    tries = list(task.tries)
                    tries[number] += 1
                    payload = _payload(state, task.data)
                    node = self._handlers.start(state["Resource"], payload, is_retry=True)
                    return self._moved(states, task._replace(tries=tuple(tries), node=node))
                break
        rule = next(
            catcher for catcher in state["Catch"] if _matches(catcher["ErrorEquals"], error)
        )
        caught = _with(json.loads(task.data), rule["ResultPath"], {"Error": error, "Cause": cause})
        return self._enter(states, rule["Next"], json.dumps(caught, sort_keys=True))

    def _replaced(self, frame: Frame, path: Path, change: Any) -> Frame:
        if not path:
            changed: Frame = change(frame)
            return changed
        assert isinstance(frame, Parallel)
        branches = list(frame.branches)
        branches[path[0]] = change(branches[path[0]])
        failed = next((branch for branch in branches if isinstance(branch, Failed)), None)
        if failed:
            return failed
        if all(isinstance(branch, Done) for branch in branches):
            result = [json.loads(branch.output) for branch in branches if isinstance(branch, Done)]
            return self._leave(self._states(()), frame.state, frame.data, result)
        return frame._replace(branches=tuple(branches))


def running(frame: Frame, path: Path = ()) -> Iterator[tuple[Path, Task]]:
    """Yield the invocations of an execution that run, with their paths."""
    if isinstance(frame, Task):
        yield path, frame
    elif isinstance(frame, Parallel):
        for number, branch in enumerate(frame.branches):
            yield from running(branch, (*path, number))


def _payload(state: Mapping[str, Any], data: str) -> str:
    """Return what a task's function is called with: the state, or what Parameters make of it.

    No execution has a name here: the function asks for nothing by it while events are off.
    """
    if "Parameters" not in state:
        return data
    context = {"$": json.loads(data), "$$.Execution.Id": "execution"}
    parameters = {
        name.removesuffix(".$"): context[path] for name, path in state["Parameters"].items()
    }
    return json.dumps(parameters, sort_keys=True)


def _choice(state: Mapping[str, Any], data: Any) -> str:
    for rule in state["Choices"]:
        if _get(data, rule["Variable"]) == rule["StringEquals"]:
            return str(rule["Next"])
    return str(state["Default"])


def _matches(names: list[str], error: str) -> bool:
    """Return whether an ErrorEquals matches: States.TaskFailed is any error but a timeout."""
    if "States.ALL" in names or error in names:
        return True
    return "States.TaskFailed" in names and error != "States.Timeout"


def _steps(path: str) -> list[str]:
    return path.split(".")[1:]


def _get(data: Any, path: str) -> Any:
    for step in _steps(path):
        data = data[step]
    return data


def _with(data: Any, path: str, value: Any) -> Any:
    """Return the data with the value put in at a path."""
    if path == "$":
        return value
    *parents, last = _steps(path)
    inner = data
    for step in parents:
        inner = inner.setdefault(step, {})
    inner[last] = value
    return data
