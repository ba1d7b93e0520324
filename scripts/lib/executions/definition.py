"""A state machine's definition (Amazon States Language) as states, lanes and edges.

Source: https://states-language.net/spec.html
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

EdgeKind = Literal["next", "choice", "default", "catch"]

_COMPARED = {
    "StringEquals": "=",
    "NumericEquals": "=",
    "BooleanEquals": "=",
    "NumericGreaterThan": ">",
    "NumericGreaterThanEquals": "≥",
    "NumericLessThan": "<",
    "NumericLessThanEquals": "≤",
    "StringMatches": "~",
}


@dataclass(frozen=True)
class Edge:
    """A way from one state to another of the same lane; `target` None is the lane's end."""

    source: str
    target: str | None
    kind: EdgeKind
    label: str = ""


@dataclass(frozen=True)
class State:
    """One state.

    Attributes:
        name, kind, comment: as the definition has them; `kind` is its Type.
        lanes: the branches of a Parallel, the one of a Map.
        edges: the ways out of it.
    """

    name: str
    kind: str
    comment: str
    lanes: "tuple[Machine, ...]"
    edges: tuple[Edge, ...]


@dataclass(frozen=True)
class Machine:
    """The whole state machine, or one lane of a Parallel or Map."""

    start_at: str
    states: Mapping[str, State]

    def walk(self) -> Iterator[State]:
        """Yield every state, those of lanes right behind their container."""
        for state in self.states.values():
            yield state
            for lane in state.lanes:
                yield from lane.walk()


def read(definition: Mapping[str, Any]) -> Machine:
    """Return the state machine of a definition.

    Raises:
        KeyError: it has no StartAt or States, or a state no Type.
    """
    states = {name: _state(name, body) for name, body in definition["States"].items()}
    return Machine(definition["StartAt"], states)


def _state(name: str, body: Mapping[str, Any]) -> State:
    lanes = list(body.get("Branches", []))
    lanes += [body[key] for key in ("ItemProcessor", "Iterator") if key in body]
    return State(
        name=name,
        kind=body["Type"],
        comment=body.get("Comment", ""),
        lanes=tuple(read(lane) for lane in lanes),
        edges=_edges(name, body),
    )


def _edges(name: str, body: Mapping[str, Any]) -> tuple[Edge, ...]:
    """Return the ways out of a state, several of one kind to the same state as one."""
    labels: dict[tuple[str | None, EdgeKind], list[str]] = {}
    for target, kind, label in _ways(body):
        labels.setdefault((target, kind), []).append(label)
    return tuple(
        Edge(name, target, kind, " or ".join(filter(None, dict.fromkeys(texts))))
        for (target, kind), texts in labels.items()
    )


def _ways(body: Mapping[str, Any]) -> Iterator[tuple[str | None, EdgeKind, str]]:
    for rule in body.get("Choices", []):
        yield rule["Next"], "choice", _condition(rule)
    if "Default" in body:
        yield body["Default"], "default", "otherwise"
    if "Next" in body:
        yield body["Next"], "next", ""
    if body.get("End") or body["Type"] == "Succeed":
        yield None, "next", ""
    for catcher in body.get("Catch", []):
        errors = catcher["ErrorEquals"]
        label = "any error" if errors == ["States.ALL"] else ", ".join(errors)
        yield catcher["Next"], "catch", label


def _condition(rule: Mapping[str, Any]) -> str:
    """Return a choice rule in a few words, or an empty string if it has no short form."""
    variable = str(rule.get("Variable", "")).rpartition(".")[2].removeprefix("$")
    for name, sign in _COMPARED.items():
        if name in rule:
            return f"{variable} {sign} {rule[name]}"
    return ""
