"""Runs checkov, from its own environment, and reads what it found."""

import json
import subprocess
from collections.abc import Sequence
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
    return _read(_reports([framework], arguments))


def scan_each(frameworks: Sequence[str], folder: Path) -> dict[str, Scan]:
    """Return what is found in each folder of a folder, by its name.

    It is one run of checkov: to start takes longer than most scans.

    Parameters:
        frameworks: checkov's names for the kinds of files.
        folder: the folder of the folders.
    """
    reports = _reports(frameworks, ["-d", folder])
    return {child.name: _read(reports, f"/{child.name}/") for child in folder.iterdir()}


def _reports(frameworks: Sequence[str], arguments: Sequence[str | Path]) -> list[dict[str, Any]]:
    """Return checkov's report of each framework."""
    assert _CHECKOV.exists(), f"there is no {_CHECKOV}; run `make setup-checkov`"
    options = ["--framework", *frameworks, "--skip-download", "-o", "json"]
    done = subprocess.run(
        [_CHECKOV, *arguments, *options],
        cwd=REPOSITORY / "tests" / "security",  # checkov reads .checkov.yaml where it runs
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        reports: list[dict[str, Any]] | dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:
        raise AssertionError(f"checkov said no JSON: {done.stdout}{done.stderr}") from error
    return reports if isinstance(reports, list) else [reports]


def _read(reports: Sequence[dict[str, Any]], place: str = "") -> Scan:
    """Return what reports say about the files whose paths begin with a place."""
    results = [report["results"] for report in reports if "results" in report]

    def checks(kind: str) -> list[dict[str, Any]]:
        found = (check for result in results for check in result[kind])
        return [check for check in found if check["file_path"].startswith(place)]

    return Scan(
        passed=len(checks("passed_checks")),
        failed=[_name(check) for check in checks("failed_checks")],
        skipped={
            _name(check): check["check_result"].get("suppress_comment") or ""
            for check in checks("skipped_checks")
        },
        unreadable=[file for result in results for file in result["parsing_errors"]],
    )


def _name(check: dict[str, Any]) -> str:
    return f"{check['check_id']} {check['resource']}"
