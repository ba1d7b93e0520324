"""Runs checkov, from its own environment, and reads what it found."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.lib.paths import REPOSITORY

_CHECKOV = REPOSITORY / ".venv" / "checkov" / "bin" / "checkov"


@dataclass(frozen=True)
class Scan:
    """What checkov found.

    Attributes:
        passed: how many checks passed.
        failed: `check resource` of each that failed.
        skipped: `check resource` of each that was skipped, with the reason that the code gives.
        unreadable: files that checkov could not read.
    """

    passed: int
    failed: list[str]
    skipped: dict[str, str]
    unreadable: list[str]


def scan(framework: str, *arguments: str | Path) -> Scan:
    """Run every check that checkov has for a framework, without any configuration file.

    Parameters:
        framework: checkov's name for the kind of files.
        arguments: what to look at.
    """
    assert _CHECKOV.exists(), f"there is no {_CHECKOV}; run `make setup-checkov`"
    done = subprocess.run(
        [_CHECKOV, *arguments, "--framework", framework, "--skip-download", "-o", "json"],
        cwd=REPOSITORY / "tests" / "security",  # checkov reads .checkov.yaml where it runs
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:
        raise AssertionError(f"checkov said no JSON: {done.stdout}{done.stderr}") from error
    results = report.get("results", {})
    return Scan(
        passed=report.get("summary", report)["passed"],
        failed=[_name(check) for check in results.get("failed_checks", [])],
        skipped={
            _name(check): check["check_result"].get("suppress_comment") or ""
            for check in results.get("skipped_checks", [])
        },
        unreadable=results.get("parsing_errors", []),
    )


def _name(check: dict[str, Any]) -> str:
    return f"{check['check_id']} {check['resource']}"
