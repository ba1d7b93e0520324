"""Takes out of an unpacked layer what the pipeline never loads, and checks what is left."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

from scripts.package import PackageError, models
from scripts.package.target import Target

# Of Pillow's extensions only these are always loaded: the core with its JPEG and PNG coders, and
# colour management. The others (AVIF, WebP, fonts, Tk, maths, morphology) bring two thirds of its
# size.
PILLOW_EXTENSIONS: Final = frozenset({"_imaging", "_imagingcms"})

# Of Pillow's formats only these are read, written, or loaded by those that are. The others cost the
# first image, too: to open it, Pillow loads half a dozen of them as far as they are there.
PILLOW_FORMATS: Final = frozenset({"Jpeg", "Mpo", "Png", "Tiff"})

# What else Pillow can write, for renditions: a build may ask for it.
FORMATS: Final = {"webp": "WebP", "avif": "Avif"}

# For type checkers and compilers only.
_NOT_RUN: Final = ("*.pyi", "py.typed", "*.c", "*.h")

# Modules to put in the place of those of the same name, which cost every cold start and do nothing
# for the functions. What else is in a folder that they fill stays only if it is named here.
STUBS: Final = Path(__file__).parent / "stubs"
KEPT_BESIDE: Final = frozenset({Path("botocore/docs/utils.py"), Path("urllib3/http2/probe.py")})

_MACHINES: Final = {"EM_AARCH64": "aarch64", "EM_X86_64": "x86_64"}


@dataclass(frozen=True)
class Library:
    """A shared library.

    Parameters:
        machine: the processor it is for, such as aarch64.
        needed: the names of the libraries that it loads.
        glibc: the newest version of glibc that its symbols ask for.
    """

    machine: str
    needed: frozenset[str]
    glibc: tuple[int, ...]


def trim(tree: Path, formats: Collection[str] = ()) -> None:
    """Remove unused extensions, the bundled libraries that only those loaded, and what never runs.

    Parameters:
        tree: the folder with the packages.
        formats: which of `FORMATS` stay.
    """
    extensions = PILLOW_EXTENSIONS | {f"_{name}" for name in formats}
    plugins = PILLOW_FORMATS | {FORMATS[name] for name in formats}
    for extension in (tree / "PIL").glob("*.so"):
        if extension.name.partition(".")[0] not in extensions:
            extension.unlink()
    for plugin in (tree / "PIL").glob("*ImagePlugin.py"):
        if plugin.name.removesuffix("ImagePlugin.py") not in plugins:
            plugin.unlink()
    for pattern in _NOT_RUN:
        for file in tree.rglob(pattern):
            file.unlink()
    for stubs in tree.glob("*-stubs"):
        shutil.rmtree(stubs)
    models.reduce_data(tree / "botocore" / "data")
    _put_stubs(tree)
    _remove_unneeded_libraries(tree)


def check(tree: Path, target: Target) -> None:
    """Make sure that the target can load every shared library in a folder.

    Parameters:
        tree: the folder with the packages.
        target: whose processor and glibc they have to suit.

    Raises:
        PackageError: a library is for another processor, or for a newer system.
    """
    for path in sorted(tree.rglob("*.so*")):
        library = read_library(path)
        if library is None:
            continue
        name = path.relative_to(tree)
        if library.machine != target.machine:
            raise PackageError(
                f"{name} is for {library.machine}, and {target} needs {target.machine}. Remove "
                "build/wheels and build again; the wheel has the wrong platform in its name."
            )
        if target.glibc and library.glibc > target.glibc:
            needed, offered = (".".join(map(str, each)) for each in (library.glibc, target.glibc))
            raise PackageError(
                f"{name} needs glibc {needed}, but {target} has {offered}. Choose a newer "
                "RUNTIME, or an older version of the package in requirements/layer.in."
            )


def _put_stubs(tree: Path) -> None:
    """Replace what is in the stubs' folders, but for the modules that are used there.

    Raises:
        PackageError: the packages have no such module any more.
    """
    stubs = {path.relative_to(STUBS): path for path in STUBS.rglob("*.py")}
    for name in (*stubs, *KEPT_BESIDE):
        if not (tree / name).is_file():
            raise PackageError(
                f"The pinned packages have no {name}, which scripts/package/trim.py removes or "
                "keeps. Find out what replaced it, and change that module."
            )
    for folder in {name.parent for name in stubs}:
        for path in (tree / folder).iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.relative_to(tree) not in KEPT_BESIDE:
                path.unlink()
    for name, path in stubs.items():
        shutil.copyfile(path, tree / name)


def _remove_unneeded_libraries(tree: Path) -> None:
    """Keep of the bundled libraries those that a kept extension loads, directly or through others.

    Wheels bundle them in folders NAME.libs, each under the name by which it is loaded.
    """
    bundled = {path.name: path for path in tree.glob("*.libs/*") if path.is_file()}
    extensions = [path for path in tree.rglob("*.so") if path.parent.suffix != ".libs"]
    wanted: set[str] = set()
    to_read = extensions
    while to_read:
        libraries = [library for path in to_read if (library := read_library(path))]
        names = {name for library in libraries for name in library.needed}
        new = (names & bundled.keys()) - wanted
        wanted |= new
        to_read = [bundled[name] for name in new]
    for name in bundled.keys() - wanted:
        bundled[name].unlink()


def read_library(path: Path) -> Library | None:
    """Return what a file says about itself; None if it is not an ELF file."""
    with path.open("rb") as file:
        if file.read(4) != b"\x7fELF":
            return None
        elf = ELFFile(file)
        needed: set[str] = set()
        glibc: tuple[int, ...] = (0,)
        for section in elf.iter_sections():
            if isinstance(section, DynamicSection):
                # pyelftools sets the attribute by the tag's name, unseen by its own types.
                tags = section.iter_tags("DT_NEEDED")
                needed |= {tag.needed for tag in tags}  # type: ignore[attr-defined]
            elif isinstance(section, GNUVerNeedSection):
                glibc = max(glibc, *_glibc_versions(section))
        machine = elf["e_machine"]
        return Library(_MACHINES.get(machine, machine), frozenset(needed), glibc)


def _glibc_versions(section: GNUVerNeedSection) -> list[tuple[int, ...]]:
    return [
        (0,),
        *(
            tuple(int(part) for part in version.name.removeprefix("GLIBC_").split("."))
            for _, versions in section.iter_versions()
            for version in versions
            if version.name.startswith("GLIBC_2")
        ),
    ]
