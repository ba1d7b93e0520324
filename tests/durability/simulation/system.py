"""The whole pipeline as a value, and every way in which it can take its next step.

A step is one AWS call of one invocation, an upload, or a delivery of a notification. Each call may
meet the fault that the state has left:

    refused    the service answers with a transient error, the SDK's own attempts included
    lost       the call takes effect and no answer comes
    repeated   the call takes effect, no answer comes, and the SDK makes the same call again
    timed out  Step Functions gives the invocation up before the call, and it goes on, or not
    outage     refused, and so is every later call of that function: until retries end

A killed process is one that timed out and does not go on.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote_plus

from image_converter import reprocessing
from image_converter.events import real_version_id
from tests.durability import invariants
from tests.durability.simulation import storage
from tests.durability.simulation.machine import Done, Failed, Frame, Machine, Task, running
from tests.durability.simulation.replay import REPROCESS, Handlers, Node
from tests.durability.simulation.storage import LOST, SOURCE, Answer, Storage

MAX_RECEIVES = 3


class Notification(NamedTuple):
    """What S3 reports of an upload, in the queue.

    Attributes:
        body: the message's.
        delivered: how often the trigger has dealt with it.
        failures: how often the trigger has not.
        listed: whether a backfill has sent it. Then the trigger looks before it starts anything,
            and each of its calls is a step.
        node: where the trigger's invocation stands, if it is in the midst of one.
    """

    key: str
    version: str
    body: str
    delivered: int = 0
    failures: int = 0
    listed: bool = False
    node: int | None = None

    @property
    def dead(self) -> bool:
        """Whether it is in the dead-letter queue."""
        return self.failures >= MAX_RECEIVES


class Execution(NamedTuple):
    """An execution; `event` is its input as JSON, `by_hand` that no notification started it."""

    name: str
    event: str
    frame: Frame
    by_hand: bool = False

    @property
    def closed(self) -> bool:
        """Whether it has ended."""
        return isinstance(self.frame, Done | Failed)


class Plan(NamedTuple):
    """Something that a person does: an upload, a deletion, a backfill, or starting an execution.

    Attributes:
        body: what is uploaded; None deletes the object.
        event: the input of an execution; makes this the start of one.
        backfill: makes this a backfill of the key's object as it is now: "listed" by its key, or
            by "version" in a manifest; or "reprocess", of what the key's record says.
        unnoticed: whether no notification is sent of the upload, as before there is a pipeline.
    """

    key: str = ""
    body: bytes | None = None
    event: str = ""
    backfill: str = ""
    unnoticed: bool = False


class State(NamedTuple):
    """A whole pipeline.

    Attributes:
        strays: invocations that nobody waits for any more: the execution's name and the node.
        plans: what people will still do, in this order.
        faults: how many faults may still happen.
        outage: the function of which every call is refused.
        deliveries: how often each notification may be delivered.
    """

    storage: Storage = storage.NOTHING
    executions: tuple[Execution, ...] = ()
    strays: tuple[tuple[str, int], ...] = ()
    notifications: tuple[Notification, ...] = ()
    uploads: tuple[invariants.Upload, ...] = ()
    plans: tuple[Plan, ...] = ()
    faults: int = 0
    outage: str = ""
    deliveries: int = 2


class Step(NamedTuple):
    """A next step.

    Attributes:
        needed: whether it happens sooner or later; a second delivery, a fault or a stray's next
            call may never come.
        private: whether it can neither see nor be seen by anybody else, so that its place among
            the others' steps does not matter.
        is_fault: whether it takes one of the state's faults.
    """

    label: str
    after: Callable[[], State]
    needed: bool = True
    private: bool = False
    is_fault: bool = False


class System:
    """Takes steps."""

    def __init__(
        self,
        handlers: Handlers,
        machine: Machine,
        *,
        prune: bool = True,
        through_the_bus: bool = False,
    ) -> None:
        """Prepare.

        Args:
            prune: leave out orders that differ only in where a step stands that meets no other.
            through_the_bus: EventBridge brings the notifications, as of an existing bucket.
        """
        self._notification = _event if through_the_bus else _notification
        self._handlers = handlers
        self._machine = machine
        self._prune = prune
        # A message is delivered in many states whose storage is the same.
        self._triggered = lru_cache(maxsize=100_000)(self._trigger)

    def steps(self, state: State) -> list[Step]:
        """Return the next steps; of private ones the first one's alone."""
        steps: list[Step] = []
        for execution in state.executions:
            for path, task in running(execution.frame):
                node = self._handlers.nodes[task.node]
                actor = _Actor(self, state, execution.name, path, task.node, node)
                if actor.is_private():
                    return list(actor.steps())
                steps += actor.steps()
        steps += [
            step for number in range(len(state.strays)) for step in self._stray(state, number)
        ]
        for delivery in self._deliveries(state):
            if delivery.private:
                return [delivery]
            steps.append(delivery)
        if state.plans:
            steps.append(Step(f"person: {_text_of(state.plans[0])}", lambda: self.person(state)))
        return steps

    def redriven(self, state: State) -> State:
        """Return the state after somebody has started again what failed, and the dead letters."""
        succeeded = {
            execution.event for execution in state.executions if isinstance(execution.frame, Done)
        }
        failed = {
            execution.event for execution in state.executions if isinstance(execution.frame, Failed)
        } - succeeded
        count = len(state.executions)
        restarted = [
            Execution(f"again-{count + number}", event, self._machine.start(event), by_hand=True)
            for number, event in enumerate(sorted(failed))
        ]
        messages = [message._replace(failures=0) for message in state.notifications]
        return state._replace(
            executions=tuple(
                sorted((*state.executions, *restarted), key=lambda execution: execution.name)
            ),
            notifications=tuple(messages),
        )

    def person(self, state: State) -> State:
        """Return the state after the first of its plans."""
        plan, rest = state.plans[0], state.plans[1:]
        if plan.event:
            name = f"by-hand-{sum(execution.by_hand for execution in state.executions)}"
            execution = Execution(name, plan.event, self._machine.start(plan.event), by_hand=True)
            return state._replace(executions=(*state.executions, execution), plans=rest)
        if plan.backfill:
            return _backfilled(state, plan)._replace(plans=rest)
        stored, version = state.storage.put(SOURCE, plan.key, plan.body)
        state = state._replace(storage=stored, plans=rest)
        kept = state.storage.versioning == "Enabled"
        uploads = [
            upload._replace(
                withdrawn=upload.withdrawn or plan.body is None,
                overwritten=upload.overwritten or not kept,
            )
            if upload.key == plan.key
            else upload
            for upload in state.uploads
        ]
        if plan.body is None:
            return state._replace(uploads=tuple(uploads))
        upload = invariants.Upload(plan.key, version.name, plan.body)
        body = self._notification(plan.key, version, len(uploads), state.storage.versioning)
        state = state._replace(uploads=(*uploads, upload))
        if plan.unnoticed:
            return state
        notification = Notification(plan.key, version.name, body)
        return state._replace(notifications=(*state.notifications, notification))

    def _deliveries(self, state: State) -> Iterator[Step]:
        for number, message in enumerate(state.notifications):
            if message.dead or message.delivered >= state.deliveries:
                continue
            needed = message.delivered == 0 or message.node is not None
            for fault in ("", *self._faults(state, "trigger")):
                if fault == "timed out":  # of a queue's function that is the same as "lost"
                    continue

                def after(number: int = number, fault: str = fault) -> State:
                    return self._deliver(state, number, fault)

                is_redelivery = self._prune and not needed and not fault
                if is_redelivery and _only_counted(state, after(), number):
                    continue
                label = f"trigger: message {number} {fault}"
                needed_now = needed and not fault
                # It starts an execution, under a name that nothing else uses but its own message
                # again: whether that has been started is all that it sees and all that it changes.
                # A backfill's messages use the same names, and look at what others change.
                private = self._prune and needed_now and not state.faults and not _listing(state)
                yield Step(label, after, needed_now, private, is_fault=bool(fault))

    def _deliver(self, state: State, number: int, fault: str) -> State:
        state = _used(state, fault, "trigger")
        stored, message = self._triggered(
            state.storage, state.notifications[number], fault or _ongoing(state, "trigger")
        )
        return self._started(_with_message(state._replace(storage=stored), number, message))

    def _trigger(
        self, stored: Storage, message: Notification, fault: str
    ) -> tuple[Storage, Notification]:
        """Return what the trigger makes of the storage and of the message that it deals with."""
        node = message.node
        if node is None:
            record = {"messageId": "m", "body": message.body}
            node = self._handlers.start("trigger", json.dumps({"Records": [record]}))
        while (request := self._handlers.nodes[node].request) is not None:
            stored, answer = _perform(stored, request, fault)
            if fault == "repeated":
                stored, answer = storage.perform(stored, request)
            node = self._handlers.resume(node, answer)
            if message.listed and self._handlers.nodes[node].request is not None:
                return stored, message._replace(node=node)
        message = message._replace(node=None)
        result = json.loads(self._handlers.nodes[node].result or '{"batchItemFailures": [1]}')
        if result["batchItemFailures"]:
            return stored, message._replace(failures=message.failures + 1)
        return stored, message._replace(delivered=message.delivered + 1)

    def _started(self, state: State) -> State:
        names = {execution.name for execution in state.executions}
        new = [
            Execution(name, event, self._machine.start(event))
            for name, event in state.storage.started
            if name not in names
        ]
        if not new:
            return state
        executions = sorted((*state.executions, *new), key=lambda execution: execution.name)
        return state._replace(executions=tuple(executions))

    def _stray(self, state: State, number: int) -> Iterator[Step]:
        name, node_id = state.strays[number]
        node = self._handlers.nodes[node_id]

        def after() -> State:
            assert node.request is not None
            stored, answer = _perform(state.storage, node.request, _ongoing(state, node.function))
            next_id = self._handlers.resume(node_id, answer)
            remaining = [stray for place, stray in enumerate(state.strays) if place != number]
            goes_on = self._handlers.nodes[next_id].request is not None
            strays = [*remaining, (name, next_id)] if goes_on else remaining
            return state._replace(storage=stored, strays=tuple(sorted(strays)))

        method = node.request.method if node.request else ""
        yield Step(f"{name}: stray {node.function} {method}", after, needed=False)

    def _faults(self, state: State, function: str) -> tuple[str, ...]:
        if state.faults and state.outage != function:
            return ("refused", "lost", "repeated", "timed out", "outage")
        return ()


@dataclass(frozen=True, slots=True)
class _Actor:
    """An invocation that an execution waits for."""

    system: System
    state: State
    name: str
    path: tuple[int, ...]
    node_id: int
    node: Node

    def is_private(self) -> bool:
        """Return whether the next call reads a version by its id: nobody ever takes one away.

        One that has none of its own is replaced by the next upload.

        While a fault may still come, it is not: an outage that begins elsewhere could meet it. Nor
        is it during one, where it ends its execution, other branches and all.
        """
        request, state = self.node.request, self.state
        if not self.system._prune or state.faults or request is None:
            return False
        if state.outage == self.node.function:
            return False
        if request.method not in ("head_object", "get_object"):
            return False
        return real_version_id(request.get().get("VersionId")) is not None

    def steps(self) -> Iterator[Step]:
        """Yield the next call, without a fault and with each."""
        private = self.is_private()
        request = self.node.request
        assert request is not None
        for fault in ("", *self.system._faults(self.state, self.node.function)):
            label = f"{self.name}: {self.node.function} {request.method} {fault}"

            def after(fault: str = fault) -> State:
                return self._after(fault)

            yield Step(label, after, needed=not fault, private=private, is_fault=bool(fault))

    def _after(self, fault: str) -> State:
        request = self.node.request
        assert request is not None
        machine, function = self.system._machine, self.node.function
        execution = next(
            execution for execution in self.state.executions if execution.name == self.name
        )
        state = _used(self.state, fault, function)
        if fault == "timed out":
            strays = tuple(sorted((*state.strays, (self.name, self.node_id))))
            frame = machine.fail(execution.frame, self.path, "States.Timeout", "")
            return self._moved(state._replace(strays=strays), frame)
        stored, answer = _perform(state.storage, request, fault or _ongoing(state, function))
        state = state._replace(storage=stored)
        if fault == "repeated":
            return state
        node = self.system._handlers.resume(self.node_id, answer)
        return self._moved(state, machine.advance(execution.frame, self.path, node))

    def _moved(self, state: State, frame: Frame) -> State:
        """Return the state with the execution in that frame.

        Where the execution has failed, the invocations of its other branches go on by themselves.
        """
        strays = list(state.strays)
        execution = next(execution for execution in state.executions if execution.name == self.name)
        if isinstance(frame, Failed):
            siblings = [task.node for path, task in running(execution.frame) if path != self.path]
            strays += [(self.name, node) for node in siblings]
        stored = state.storage
        if isinstance(frame, Done | Failed):
            stored = stored._replace(closed=stored.closed | {self.name})
        executions = [
            execution._replace(frame=frame) if execution.name == self.name else execution
            for execution in state.executions
        ]
        return state._replace(
            executions=tuple(executions),
            storage=stored,
            strays=tuple(sorted(strays)),
        )


def _with_message(state: State, number: int, message: Notification) -> State:
    messages = list(state.notifications)
    messages[number] = message
    return state._replace(notifications=tuple(messages))


def _listing(state: State) -> bool:
    """Return whether there is or will be a backfill."""
    return any(message.listed for message in state.notifications) or any(
        plan.backfill for plan in state.plans
    )


def _backfilled(state: State, plan: Plan) -> State:
    """Return the state after a backfill has sent its message, if it has found anything."""
    if plan.backfill == REPROCESS:
        record = dict(state.storage.items).get(plan.key)
        if record is None:
            return state
        line = reprocessing.manifest_line(storage.plain_item(record), "wanted")
        body = _listed(line["Bucket"], line["Key"], line["VersionId"], reprocess=line["Reprocess"])
        message = Notification(plan.key, line["VersionId"], body, listed=True)
    else:
        current = state.storage.current(SOURCE, plan.key)
        if current is None:
            return state
        version = current.id if plan.backfill == "version" else None
        body = _listed(SOURCE, plan.key, version)
        message = Notification(plan.key, current.name, body, listed=True)
    return state._replace(notifications=(*state.notifications, message))


def _only_counted(before: State, after: State, number: int) -> bool:
    """Return whether a delivery has changed nothing but how often its message was delivered.

    What can follow it can follow without it as well: then there only are more deliveries to come.
    """
    counted = list(after.notifications)
    counted[number] = before.notifications[number]
    return after._replace(notifications=tuple(counted)) == before


def is_at_rest(steps: list[Step]) -> bool:
    """Return whether nothing more needs to happen."""
    return not any(step.needed for step in steps)


def observed(state: State) -> invariants.Snapshot:
    """Return what can be seen of a state from outside."""
    buckets: dict[str, dict[str, list[invariants.Stored]]] = {}
    for (bucket, key), history in state.storage.objects:
        buckets.setdefault(bucket, {})[key] = [
            invariants.Stored(version.name, version.body, dict(version.metadata))
            for version in history
        ]
    return invariants.Snapshot(
        uploads=state.uploads,
        source=buckets.get(SOURCE, {}),
        destination=buckets.get(storage.DESTINATION, {}),
        records={name: storage.plain_item(item) for name, item in state.storage.items},
        runs=[_run(execution) for execution in state.executions],
        dead_letters=frozenset(
            (message.key, message.version) for message in state.notifications if message.dead
        ),
    )


def violations(state: State) -> list[str]:
    """Return each way in which the promise is broken in a state that may be the last.

    In addition to the promise itself: a notification starts one execution, however often it comes,
    and one fault prevents nothing, so what can be converted is converted, unless a function's calls
    are refused until its retries end.
    """
    faults = invariants.violations(observed(state)) + _twice_started(state)
    return faults if state.outage else faults + unfinished(state)


def _twice_started(state: State) -> list[str]:
    """Return a sentence for each version with more executions than there is reason for.

    A reprocess has newer settings than the trigger here, so that its image is outdated again for a
    listed message that comes after it: by design, that message starts one more.
    """
    notified = [execution.event for execution in state.executions if not execution.by_hand]
    reprocesses = Counter(_version(event) for event in notified if REPROCESS in event)
    started = Counter(_work(event) for event in notified)
    return [
        f"several executions of {work}"
        for work, count in started.items()
        if count > 1 + reprocesses[work]
    ]


def _work(event: str) -> str:
    """Return what an input asks for, whoever has listed or notified it.

    Without versions, a backfill cannot name an execution after the sequencer, as uploads do.
    """
    item = json.loads(event)["s3"]["object"]
    if REPROCESS in event or real_version_id(item.get("versionId")) is None:
        return event
    return _version(event)


def _version(event: str) -> str:
    item = json.loads(event)["s3"]["object"]
    return f"{item['key']} version {item.get('versionId')}"


def unfinished(state: State) -> list[str]:
    """Return a sentence for each execution that has not succeeded, and could have.

    Damaged images are expected to fail; so is an execution that was started by hand and names no
    version, where its object has changed or gone, and one whose object was overwritten where the
    bucket keeps no versions.
    """
    bodies = {
        (upload.key, upload.version): upload.body
        for upload in state.uploads
        if not upload.overwritten
    }
    runs = [_run(execution) for execution in state.executions]
    succeeded = {(run.key, run.version, run.reprocess) for run in runs if run.succeeded}
    return [
        f"{run.name}: {run.status} though nothing kept failing"
        for run in runs
        if (run.key, run.version or "") in bodies
        and (run.key, run.version, run.reprocess) not in succeeded
        and invariants.is_whole(bodies[run.key, run.version or ""])
    ]


def hidden_early(state: State) -> list[str]:
    """Return a sentence for each upload that is hidden before its turn, at any moment.

    It is what its own execution does last that may hide the newest upload, and nothing else.
    """
    faults = []
    for upload in {upload.key: upload for upload in state.uploads}.values():
        history = state.storage.history(SOURCE, upload.key)
        if history[-1].body is None and not upload.withdrawn:
            handling = [execution for execution in state.executions if _may_hide(execution, upload)]
            if not handling:
                faults.append(f"'{upload.key}' version {upload.version} is hidden before its turn")
    return faults


def _may_hide(execution: Execution, upload: invariants.Upload) -> bool:
    """Return whether an execution has handled that very upload and come to its last step.

    What it handled is what its input names or, where that names none, what it copied. An execution
    that knows neither may hide nothing: it cannot know what it would hide.
    """
    item = json.loads(execution.event)["s3"]["object"]
    if item["key"] != upload.key or REPROCESS in execution.event:
        return False
    results = _last_results(execution.frame)
    if results is None:
        return False
    images = results.get("images")
    handled = {_version_named(item), images and images[0]["original"].get("sourceVersionId")}
    return handled - {None} == {upload.version}


def _last_results(frame: Frame) -> Mapping[str, Any] | None:
    """Return `results` of an execution that is at its last step or over it, else None."""
    if isinstance(frame, Done):
        output: Mapping[str, Any] = json.loads(frame.output)
        return output
    if isinstance(frame, Task):
        return json.loads(frame.data)["results"] if frame.state == "DeleteSourceFile" else None
    if isinstance(frame, Failed):  # perhaps at its last step, whose answer was lost
        results: Mapping[str, Any] = json.loads(frame.data).get("results", {})
        is_jpeg = results.get("fileType") == "jpg"
        return results if ("writeStatus" if is_jpeg else "fileType") in results else None
    return None


def _run(execution: Execution) -> invariants.ExecutionSummary:
    item = json.loads(execution.event)["s3"]["object"]
    frame = execution.frame
    status = {Done: "SUCCEEDED", Failed: "FAILED"}.get(type(frame), "RUNNING")
    output = json.loads(frame.output) if isinstance(frame, Done) else {}
    return invariants.ExecutionSummary(
        execution.name,
        item["key"],
        _version_named(item),
        status,
        output,
        reprocess=REPROCESS in execution.event,
    )


def _version_named(item: Mapping[str, Any]) -> str | None:
    """Return the name of the version that an input names, as `Version.name` has it."""
    name: str | None = real_version_id(item.get("versionId")) or item.get("eTag")
    return name


def _perform(stored: Storage, request: storage.Request, fault: str) -> tuple[Storage, Answer]:
    if fault in ("refused", "outage"):
        return stored, storage.refusal(request.service)
    stored, answer = storage.perform(stored, request)
    return stored, LOST if fault == "lost" else answer


def _used(state: State, fault: str, function: str) -> State:
    if not fault:
        return state
    outage = function if fault == "outage" else state.outage
    return state._replace(faults=state.faults - 1, outage=outage)


def _ongoing(state: State, function: str) -> str:
    return "refused" if state.outage == function else ""


def _notification(key: str, version: storage.Version, number: int, versioning: str) -> str:
    record: dict[str, Any] = {
        "eventName": "ObjectCreated:Put",
        "eventTime": "2026-01-02T03:04:05.000Z",
        "s3": {
            "bucket": {"name": SOURCE},
            "object": {
                "key": quote_plus(key),
                "size": len(version.body or b""),
                "eTag": version.etag,
                **({"versionId": version.id} if versioning else {}),
                # They differ in length, as S3's do.
                "sequencer": f"0065{number + 1:02X}" + "A" * (2 * (number % 2)),
            },
        },
    }
    return json.dumps({"Records": [record]})


def _event(key: str, version: storage.Version, number: int, versioning: str) -> str:
    """Return the same as EventBridge has it: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html."""
    [record] = json.loads(_notification(key, version, number, versioning))["Records"]
    item = record["s3"]["object"]
    names = {"size": "size", "eTag": "etag", "versionId": "version-id", "sequencer": "sequencer"}
    renamed = {new: item[old] for old, new in names.items() if old in item}
    return json.dumps(
        {
            "source": "aws.s3",
            "detail-type": "Object Created",
            "region": "eu-central-1",
            "time": "2026-01-02T03:04:05Z",
            "detail": {"bucket": {"name": SOURCE}, "object": {"key": key, **renamed}},
        }
    )


def _listed(bucket: str, key: str, version: str | None, **detail: Any) -> str:
    """Return the message of a backfill: no time, no sequencer, and perhaps no version."""
    item = {"key": key, **({"version-id": version} if version else {})}
    return json.dumps(
        {
            "source": "image-converter.backfill",
            "detail-type": "Object Created",
            "detail": {"bucket": {"name": bucket}, "object": item, **detail},
        }
    )


def _text_of(plan: Plan) -> str:
    if plan.event:
        return "starts an execution"
    if plan.backfill:
        return f"backfills {plan.key} ({plan.backfill})"
    return f"{'deletes' if plan.body is None else 'uploads'} {plan.key}"


def event_of(key: str) -> str:
    """Return the input of an execution that somebody starts by hand, naming no version."""
    return json.dumps({"s3": {"bucket": {"name": SOURCE}, "object": {"key": key}}})
