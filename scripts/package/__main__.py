"""The command line of the package build."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from scripts.package import PackageError, trim
from scripts.package.build import UNZIPPED_LIMIT, Artifact, Build, Inputs, build
from scripts.package.target import (
    ARCHITECTURES,
    DEFAULT_ARCHITECTURE,
    DEFAULT_RUNTIME,
    RUNTIMES,
    Target,
    deploy_target,
    host_target,
)

_MEGABYTE: Final = 1024 * 1024


def main(arguments: Sequence[str] | None = None) -> int:
    """Build what the command line asks for, and print what went in; return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        target = _target(options)
        print(f"Building for {target} ...", flush=True)
        built = build(target, options.output, Inputs(formats=_formats(options)))
    except PackageError as error:
        print(f"make package: {error}", file=sys.stderr)
        return 1
    print(_summary(built, options.output))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.package",
        description="Build functions.zip, layer.zip and manifest.json for AWS Lambda.",
    )
    parser.add_argument(
        "--runtime",
        help=f"one of {', '.join(RUNTIMES)}; default TF_VAR_runtime, else {DEFAULT_RUNTIME}",
    )
    parser.add_argument(
        "--architecture",
        help=f"one of {', '.join(ARCHITECTURES)}; "
        f"default TF_VAR_architecture, else {DEFAULT_ARCHITECTURE}",
    )
    parser.add_argument(
        "--host",
        action="store_true",
        help="build for this Python and this machine instead, to run in the local AWS",
    )
    parser.add_argument(
        "--formats",
        help=f"what renditions may be besides png and jpeg: {','.join(trim.FORMATS)}, or a part "
        "of that; default none, and all with --host",
    )
    parser.add_argument("--output", type=Path, default=Path("build/package"), help="folder")
    return parser


def _target(options: argparse.Namespace) -> Target:
    if not options.host:
        return deploy_target(options.runtime, options.architecture)
    if options.runtime or options.architecture:
        raise PackageError("--host cannot be combined with --runtime and --architecture.")
    return host_target()


def _formats(options: argparse.Namespace) -> tuple[str, ...]:
    if options.formats is None:
        return tuple(trim.FORMATS) if options.host else ()
    wanted = [name.strip() for name in options.formats.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in (*trim.FORMATS, "png", "jpeg")]
    if unknown:
        raise PackageError(
            f"FORMATS has {', '.join(unknown)}, but may only have {', '.join(trim.FORMATS)}."
        )
    return tuple(name for name in trim.FORMATS if name in wanted)


def _summary(built: Build, output: Path) -> str:
    lines = [f"Built for {built.target} in {output}"]
    for artifact in (built.functions, built.layer):
        lines += _describe(artifact)
    lines.append(f"formats        {', '.join(built.formats)}")
    source = built.bytecode()
    if source["interpreter"]:
        lines.append(f"bytecode       by {source['interpreter']}")
    else:
        lines.append(
            f"bytecode       none, for {source['reason']}. It works, but starts more slowly; "
            f"install {built.target.runtime} and build again."
        )
    share = built.unzipped / UNZIPPED_LIMIT
    lines.append(
        f"unzipped       {_size(built.unzipped)} of the {_size(UNZIPPED_LIMIT)} that Lambda allows "
        f"({share:.0%})"
    )
    return "\n".join(lines)


def _describe(artifact: Artifact) -> list[str]:
    zipped, unzipped = artifact.archive.zipped, artifact.archive.unzipped
    name, sha256 = artifact.archive.path.name, artifact.archive.sha256
    return [
        f"{name:14} {_size(zipped)} zipped, {_size(unzipped)} unzipped, sha256 {sha256}",
        *(
            f"  {package.name:12} {package.version:10} {package.licence}"
            for package in artifact.packages
        ),
    ]


def _size(size: int) -> str:
    return f"{size / _MEGABYTE:.2f} MB"


if __name__ == "__main__":
    sys.exit(main())
