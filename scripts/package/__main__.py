"""The command line of the package build."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from scripts.package import PackageError, trim
from scripts.package.build import UNZIPPED_LIMIT, Build, build
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
        built = build(target, options.output, formats=_formats(options))
    except PackageError as error:
        print(f"make package: {error}", file=sys.stderr)
        return 1
    print(f"Built for {target} in {options.output}")
    _print(built)
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


def _formats(options: argparse.Namespace) -> list[str]:
    if options.formats is None:
        return list(trim.FORMATS) if options.host else []
    names = [name.strip() for name in options.formats.split(",") if name.strip()]
    unknown = [name for name in names if name not in (*trim.FORMATS, "png", "jpeg")]
    if unknown:
        raise PackageError(
            f"FORMATS has {', '.join(unknown)}, but may only have {', '.join(trim.FORMATS)}."
        )
    return [name for name in trim.FORMATS if name in names]


def _print(built: Build) -> None:
    for artifact in built.artifacts.values():
        zipped, unzipped = _size(artifact.zipped_bytes), _size(artifact.unzipped_bytes)
        print(f"{artifact.file:14} {zipped} zipped, {unzipped} unzipped, sha256 {artifact.sha256}")
        for package in artifact.packages:
            print(f"  {package.name:12} {package.version:10} {package.licence}")
    print(f"formats        {', '.join(built.formats)}")
    if interpreter := built.bytecode["interpreter"]:
        print(f"bytecode       by {interpreter}")
    else:
        print(
            f"bytecode       none, for {built.bytecode['reason']}. It works, but starts more "
            f"slowly; install {built.runtime} and build again."
        )
    print(
        f"unzipped       {_size(built.unzipped)} of the {_size(UNZIPPED_LIMIT)} that Lambda allows "
        f"({built.unzipped / UNZIPPED_LIMIT:.0%})"
    )


def _size(size: int) -> str:
    return f"{size / _MEGABYTE:.2f} MB"


if __name__ == "__main__":
    sys.exit(main())
