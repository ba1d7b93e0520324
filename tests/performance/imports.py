"""Measure what importing each function costs, as Lambda does it: ``make bench-imports``.

The packages are built and unpacked as Lambda unpacks them, with bytecode, and imported by a Python
that has nothing else. The yardstick is `python -c pass`, in turns with the functions, so that a
slow moment of the machine meets all of them. What counts is processor time, user and system, from
the process's start to its end. The end, which a function does not wait for, is short: what
`image_converter.cold_start` sets apart is not searched for garbage there.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zipfile import ZipFile

from rich.table import Table

from scripts.lib.functions import FUNCTIONS
from scripts.lib.paths import BUILD, REPOSITORY
from scripts.lib.terminal import Console
from scripts.package import interpreters
from scripts.package.build import Build, build
from scripts.package.interpreters import Interpreter
from scripts.package.target import RUNTIMES, Target, host_target

FOLDER: Final = BUILD / "bench" / "imports"
RESULTS: Final = BUILD / "bench" / "imports.json"

# What is to be reached: at most so many times `python -c pass`, without tracing.
GOALS: Final = {function: 20.0 if function == "resize_image" else 17.0 for function in FUNCTIONS}

YARDSTICK: Final = "pass"
# What the article's readers would write, with the packages as they are installed.
PLAIN: Final = "boto3 + PIL + X-Ray, as installed"
_PLAIN_CODE: Final = (
    "import boto3, PIL.Image; from aws_xray_sdk.core import patch_all; boto3.client('s3')"
)

# As Lambda sets them; the credentials are of nobody.
_ENVIRONMENT: Final = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "en_US.UTF-8",
    "TZ": ":UTC",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_SESSION_TOKEN": "token",
    "LOG_LEVEL": "INFO",
    # The file system there is read-only.
    "PYTHONDONTWRITEBYTECODE": "1",
}


@dataclass(frozen=True)
class Case:
    """Something to run in a new interpreter.

    Attributes:
        name: what the table calls it.
        python: the interpreter.
        code: what it runs.
        environment: all of its environment.
    """

    name: str
    python: Path
    code: str
    environment: Mapping[str, str]

    def cpu_ms(self) -> float:
        """Run it once; return its processor milliseconds.

        Raises:
            RuntimeError: it failed.
        """
        process = subprocess.Popen([str(self.python), "-c", self.code], env=self.environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{self.name} failed, see above")
        return (usage.ru_utime + usage.ru_stime) * 1000


@dataclass(frozen=True)
class Figures:
    """What a case took: the medians of the rounds, and of their ratios to the yardstick."""

    cpu_ms: float
    ratio: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, measure, print a table for each Python, and write imports.json."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.performance.imports", description=__doc__
    )
    parser.add_argument("--rounds", type=int, default=15, help="rounds that count (default 15)")
    options = parser.parse_args(arguments)
    console = Console()
    report: dict[str, object] = {}
    for target, interpreter in _targets():
        with console.status(f"Building for {target}"):
            built = build(target, FOLDER / target.runtime / "package")
            cases = list(_cases(target, interpreter))
        with console.status(f"Importing under Python {interpreter.version}"):
            measured = in_turns(cases, options.rounds)
        console.print(_table(measured, interpreter, built))
        report[target.runtime] = {
            "python": interpreter.version,
            "machine": platform.machine(),
            "rounds": options.rounds,
            "unzipped_bytes": built.unzipped,
            "pass_cpu_ms": round(measured[YARDSTICK].cpu_ms, 1),
            "ratios": {name: round(figures.ratio, 1) for name, figures in measured.items()},
            "goals": GOALS,
        }
    RESULTS.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    console.print(f"Written: {RESULTS.relative_to(REPOSITORY)}")
    return 0


def in_turns(cases: Sequence[Case], rounds: int) -> dict[str, Figures]:
    """Run all cases in turns, after one round that fills the caches; the first is the yardstick.

    It is run again right before each other case, for the machine's next moment may be another.

    Args:
        cases: each under a name of its own.
        rounds: how many count.
    """
    yardstick, *compared = cases
    took: dict[str, list[tuple[float, float]]] = {case.name: [] for case in compared}
    for number in range(rounds + 1):
        for case in compared:
            pair = case.cpu_ms(), yardstick.cpu_ms()
            if number:
                took[case.name].append(pair)
    passes = [measure for pairs in took.values() for _, measure in pairs]
    medians = {yardstick.name: Figures(statistics.median(passes), 1.0)}
    return medians | {name: figures(pairs) for name, pairs in took.items()}


def figures(pairs: Sequence[tuple[float, float]]) -> Figures:
    """Return the medians of what a case took, and of its ratio to its yardstick."""
    cpu_ms = statistics.median(took for took, _ in pairs)
    return Figures(cpu_ms, statistics.median(took / measure for took, measure in pairs))


def _targets() -> Iterator[tuple[Target, Interpreter]]:
    """Yield this machine's own Python, and the newest of Lambda's that is at hand, if another."""
    host = host_target()
    machines = [
        host if runtime == host.runtime else Target(runtime, host.architecture)
        for runtime in RUNTIMES
    ]
    pairs = [(target, interpreters.find(target.runtime)) for target in machines]
    at_hand = [(target, interpreter) for target, interpreter in pairs if interpreter]
    yield from (pair for pair in at_hand if pair[0].host or pair == at_hand[-1])


def _cases(target: Target, interpreter: Interpreter) -> Iterator[Case]:
    """Yield the yardstick, then each function without and with tracing, unpacked as on Lambda."""
    folder = FOLDER / target.runtime
    task, layer = folder / "task", folder / "opt"
    for name, place in (("functions.zip", task), ("layer.zip", layer)):
        shutil.rmtree(place, ignore_errors=True)
        with ZipFile(folder / "package" / name) as archive:
            archive.extractall(place)
    python = _bare(interpreter, folder / "venv")
    lambda_like = {
        **_ENVIRONMENT,
        "LAMBDA_TASK_ROOT": str(task),
        "PYTHONPATH": os.pathsep.join((str(task), str(layer / "python"))),
    }
    yield Case(YARDSTICK, python, "pass", lambda_like)
    for tracing in ("off", "on"):
        for function in FUNCTIONS:
            code = f"import image_converter.handlers.{function}"
            environment = {**lambda_like, "TRACING": tracing}
            yield Case(_name(function, tracing), python, code, environment)
    if target.host:
        installed = {**_ENVIRONMENT, "PYTHONPATH": sysconfig.get_path("purelib")}
        yield Case(PLAIN, python, _PLAIN_CODE, installed)


def _name(function: str, tracing: str) -> str:
    return function if tracing == "off" else f"{function}, traced"


def _bare(interpreter: Interpreter, folder: Path) -> Path:
    """Return a Python of that version without any package."""
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run(
        [str(interpreter.executable), "-m", "venv", "--without-pip", str(folder)], check=True
    )
    return folder / "bin" / "python"


def _table(measured: Mapping[str, Figures], interpreter: Interpreter, built: Build) -> Table:
    table = Table(
        title=f"Import of each function, Python {interpreter.version}",
        caption=f"Layer and functions: {built.unzipped / 1e6:.1f} MB unzipped. Medians.",
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("function")
    for heading in ("CPU ms", "times pass", "traced", "goal"):
        table.add_column(heading, justify="right")
    table.add_row(YARDSTICK, f"{measured[YARDSTICK].cpu_ms:.1f}", "1.0")
    for function in FUNCTIONS:
        plain, traced = measured[function], measured[_name(function, "on")]
        met = "✓" if plain.ratio <= GOALS[function] else "✗"
        goal = f"{met} {GOALS[function]:.0f}"
        row = (f"{plain.cpu_ms:.0f}", f"{plain.ratio:.1f}", f"{traced.ratio:.1f}", goal)
        table.add_row(function, *row)
    if PLAIN in measured:
        table.add_row(PLAIN, f"{measured[PLAIN].cpu_ms:.0f}", f"{measured[PLAIN].ratio:.1f}")
    return table


if __name__ == "__main__":
    sys.exit(main())
