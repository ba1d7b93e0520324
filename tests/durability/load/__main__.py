"""Load and crashes on a local AWS: ``python -m tests.durability.load``.

Bursts of uploads, a tenth of them notified twice and a twentieth damaged, each followed by the
check that nothing is lost, which counts objects and compares bytes and pixels. Then three bursts
in the middle of which something ends: the functions' processes, at random; the whole local AWS, in
an orderly way, which keeps its state; and the emulator itself, killed, which keeps only what is in
the buckets. With a backfill, each burst comes while as many further objects are listed, of which
nobody was notified.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable, Sequence
from functools import partial

from rich.table import Table

from scripts.lib import user_errors
from scripts.lib.paths import BUILD
from scripts.lib.terminal import Console, visible
from scripts.local_aws import LocalAws, Options, terraform
from tests.durability.load import kill
from tests.durability.load.bursts import Burst, Figures, Load

DIRECTORY = BUILD / "load"

COUNTS = (50, 100, 250, 500)
_WARM_UP = 20  # uploads before the first burst: an emulator's cold starts would distort the figures
_ENDED_BEFORE_CRASH = 3  # executions, before the local AWS is ended in the middle of a burst


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status is 0 if nothing was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.durability.load", description=__doc__)
    parser.add_argument(
        "--counts",
        type=lambda text: [int(number) for number in text.split(",")],
        default=COUNTS,
        help="uploads of each burst, for example 50,100,500",
    )
    parser.add_argument("--crash", type=int, default=60, help="uploads of the bursts with crashes")
    parser.add_argument(
        "--backfill", type=int, default=0, help="objects that a backfill finds during each burst"
    )
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    return user_errors.run(lambda: _run(options, Console(highlight=False)))


def _run(options: argparse.Namespace, console: Console) -> int:
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    say = partial(console.print, soft_wrap=True)
    with _local_aws() as aws:
        say(f"SEED={options.seed}; the local AWS logs to {aws.log_file}")
        backfill = {"enabled": options.backfill > 0}
        _, clients, deployment = terraform.apply(aws, DIRECTORY / "stack", backfill=backfill)
        load = Load(clients, deployment, options.seed)
        _warm_up(load)
        failures = _bursts(console, load, options)
        failures += _with_killed_functions(say, load, aws, options)
        bursts = _begun(load, "ended-aws", options)
        port = int(aws.endpoint.rpartition(":")[2])
    with _local_aws(port):
        failures += _after_an_orderly_end(say, load, bursts)
    with _local_aws(port) as aws:  # from all that was kept; what comes now, a kill forgets
        bursts = _begun(load, "killed-aws", options)
        kill.emulator(aws.process_id)
    with _local_aws(port):
        failures += _after_a_kill(say, load, bursts)
    for sentence in failures:
        say(f"  {visible(sentence)}", style="red", markup=False)
    say(f"{len(failures)} checks failed." if failures else _summary(load.sent))
    return int(bool(failures))


def _local_aws(port: int | None = None) -> LocalAws:
    options = Options(port=port, persist=True, wait_scale=0.1)
    return LocalAws(DIRECTORY / "local-aws", options)


def _warm_up(load: Load) -> None:
    """Have every function started once; restart what failed because the machine was busy."""
    burst = load.send("warm-up", _WARM_UP)
    load.wait(burst)
    load.redrive()
    load.wait(burst)


def _sent(load: Load, prefix: str, count: int, options: argparse.Namespace) -> list[Burst]:
    """Send a burst, and have a backfill begin first if there is to be one."""
    listed = options.backfill
    backfills = [load.backfill(f"{prefix}-backfill", listed)] if listed else []
    return [*backfills, load.send(prefix, count)]


def _bursts(console: Console, load: Load, options: argparse.Namespace) -> list[str]:
    """Send bursts one after the other; show what they took, and how that grows."""
    failures: list[str] = []
    table = Table(*_COLUMNS)
    shown = []
    for count in options.counts:
        *backfills, burst = _sent(load, f"burst-{count}", count, options)
        load.wait(burst)
        for backfill_burst in backfills:
            load.wait(backfill_burst)
            failures += load.misreported(backfill_burst)
        violations = load.violations()
        shown.append(load.figures(burst))
        table.add_row(*_row("uploads", shown[-1], len(burst.bad), len(violations)))
        for backfill_burst in backfills:
            table.add_row(
                *_row(
                    "listed", load.figures(backfill_burst), len(backfill_burst.bad), len(violations)
                )
            )
        failures += violations
    console.print(table)
    first, last = shown[0], shown[-1]
    console.print(
        f"From {first.count} to {last.count} uploads, p50 grows {last.median / first.median:.2f} "
        f"times and p95 {last.p95 / first.p95:.2f} times."
    )
    return failures


_COLUMNS = (
    *("images", "p50", "p95", "all in", "a second"),
    *("good, once", "bad, reported", "wrong"),
)


def _row(kind: str, figures: Figures, bad: int, violations: int) -> list[str]:
    return [
        f"{figures.count} {kind}",
        f"{figures.median:.1f} s",
        f"{figures.p95:.1f} s",
        f"{figures.total:.1f} s",
        f"{figures.count / figures.total:.1f}",
        f"{figures.converted} of {figures.count - bad}",
        f"{figures.reported} of {bad}",
        str(violations),
    ]


def _begun(load: Load, prefix: str, options: argparse.Namespace) -> list[Burst]:
    """Send a burst and return when a few of it are done, and of a backfill as well."""
    bursts = _sent(load, prefix, options.crash, options)
    for burst in bursts:
        load.wait_for(burst, _ENDED_BEFORE_CRASH)
    return bursts


def _size(bursts: Sequence[Burst]) -> str:
    """Return how much was sent, in words."""
    *backfills, uploads = (len(burst.uploads) for burst in bursts)
    return " and ".join(
        [f"{uploads} uploads", *(f"a backfill of {listed} objects" for listed in backfills)]
    )


def _with_killed_functions(
    say: Callable[[str], None], load: Load, aws: LocalAws, options: argparse.Namespace
) -> list[str]:
    """Kill functions at random during a burst; restart what failed because of that."""
    with kill.functions(aws.process_id, options.seed) as killed:
        bursts = _begun(load, "killed-functions", options)
        load.wait_for(bursts[-1], options.crash // 2)
    _wait(load, bursts)
    say(f"{_size(bursts)} while {len(killed)} functions' processes were killed")
    failures = load.broken_promises()
    did = load.redrive()
    _wait(load, bursts)
    say(f"  redrive: {dict(did)}")
    return [*failures, *load.violations()]


def _wait(load: Load, bursts: Sequence[Burst]) -> None:
    for burst in bursts:
        load.wait(burst)


def _after_an_orderly_end(
    say: Callable[[str], None], load: Load, bursts: Sequence[Burst]
) -> list[str]:
    """Restart what the local AWS was doing when it ended."""
    say(
        f"{_size(bursts)}, and the local AWS ended and started in their middle: "
        f"{load.interrupted()} executions were interrupted"
    )
    did = load.redrive()
    _wait(load, bursts)
    say(f"  redrive: {dict(did)}")
    return load.violations()


def _after_a_kill(say: Callable[[str], None], load: Load, bursts: Sequence[Burst]) -> list[str]:
    """Check that nothing is lost, and that all is converted once the notifications come again.

    The emulator writes objects to disk at once, and everything else only when it ends in an orderly
    way: after a kill the queue, the executions and the table are as they were before the burst. AWS
    keeps those, too, so a repeated notification has more to do here than on AWS.
    """
    left = sum(len(load.unfinished(burst)) for burst in bursts)
    say(
        f"{_size(bursts)}, and the emulator killed and started in their middle: {left} still are "
        "in the source bucket, and it has forgotten messages, executions and records"
    )
    failures = load.lost_bytes()
    for burst in bursts:
        load.resume(burst)
    _wait(load, bursts)
    did = load.redrive()  # what a busy machine made fail
    _wait(load, bursts)
    backfills = ", and another backfill" if len(bursts) > 1 else ""
    say(f"  notified again{backfills}; redrive: {dict(did)}")
    return [*failures, *load.violations()]


def _summary(sent: Burst) -> str:
    good = len(sent.uploads) - len(sent.bad)
    return (
        f"All {good:,} good ones were converted once, all {len(sent.bad):,} bad ones were "
        "reported, and nothing was lost."
    )


if __name__ == "__main__":
    sys.exit(main())
