"""Takes out of an unpacked layer what the pipeline never loads, and checks what is left."""

import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection
from packaging.version import Version

from scripts.package import PackageError, models
from scripts.package.target import RUNTIMES, Target

# Of Pillow's extensions and formats only these are loaded: the core with its JPEG and PNG coders,
# colour management, and what is read or written, or loaded by that. The other extensions (AVIF,
# WebP, fonts, Tk, maths, morphology) bring two thirds of its size. The other formats cost the first
# image, too: to open it, Pillow loads half a dozen of them as far as they are there.
PILLOW_MODULES: Final = frozenset(
    {
        "_imaging",
        "_imagingcms",
        "JpegImagePlugin",
        "MpoImagePlugin",
        "PngImagePlugin",
        "TiffImagePlugin",
    }
)

# What else Pillow can write, for renditions: a build may ask for it.
FORMATS: Final = {"webp": "WebP", "avif": "Avif"}

# For type checkers and compilers only.
_NOT_RUN: Final = ("*.pyi", "py.typed", "*.c", "*.h")

# Modules to put in the place of those of the same name, which cost every cold start and do nothing
# for the functions. What else is in a folder that they fill stays only if it is named here.
STUBS: Final = Path(__file__).parent / "stubs"
KEPT_WITH_STUBS: Final = frozenset({Path("botocore/docs/utils.py"), Path("urllib3/http2/probe.py")})


@dataclass(frozen=True)
class Library:
    """A shared library.

    Attributes:
        machine: the processor it is for, such as aarch64.
        needed: the names of the libraries that it loads.
        glibc: the newest version of glibc that its symbols ask for.
    """

    machine: str
    needed: frozenset[str]
    glibc: Version


def trim(tree: Path, formats: Collection[str] = ()) -> None:
    """Remove unused extensions, the bundled libraries that only those loaded, and what never runs.

    Parameters:
        tree: the folder with the packages.
        formats: which of `FORMATS` stay.
    """
    pillow = tree / "PIL"
    kept = PILLOW_MODULES.union(*({f"_{name}", f"{FORMATS[name]}ImagePlugin"} for name in formats))
    for module in (*pillow.glob("*.so"), *pillow.glob("*ImagePlugin.py")):
        if module.name.partition(".")[0] not in kept:
            module.unlink()
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
        glibc = RUNTIMES[target.runtime]
        if library.glibc > glibc and not target.host:  # on the host, pip knows
            raise PackageError(
                f"{name} needs glibc {library.glibc}, but {target} has {glibc}. Choose a newer "
                "RUNTIME, or an older version of the package in requirements/layer.in."
            )


def _put_stubs(tree: Path) -> None:
    """Replace what is in the stubs' folders, but for the modules that are used there.

    Raises:
        PackageError: the packages have no such module any more.
    """
    stubs = {path.relative_to(STUBS): path for path in STUBS.rglob("*.py")}
    for name in (*stubs, *KEPT_WITH_STUBS):
        if not (tree / name).is_file():
            raise PackageError(
                f"The pinned packages have no {name}, which scripts/package/trim.py removes or "
                "keeps. Find out what replaced it, and change that module."
            )
    for folder in {name.parent for name in stubs}:
        for path in (tree / folder).iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.relative_to(tree) not in KEPT_WITH_STUBS:
                path.unlink()
    for name, path in stubs.items():
        shutil.copyfile(path, tree / name)


def _remove_unneeded_libraries(tree: Path) -> None:
    """Keep of the bundled libraries those that a kept extension loads, directly or through others.

    Wheels bundle them in folders NAME.libs, each under the name by which it is loaded.
    """
    unneeded = {path.name: path for path in tree.glob("*.libs/*")}
    to_read = [path for path in tree.rglob("*.so") if path.parent.suffix != ".libs"]
    while to_read:
        library = read_library(to_read.pop())
        names = library.needed & unneeded.keys() if library else ()
        to_read += [unneeded.pop(name) for name in names]
    for path in unneeded.values():
        path.unlink()


def read_library(path: Path) -> Library | None:
    """Return what a file says about itself; None if it is not an ELF file."""
    with path.open("rb") as file:
        try:
            elf = ELFFile(file)
        except ELFError:
            return None
        needed: set[str] = set()
        glibcs = {Version("0")}
        for section in elf.iter_sections():
            if isinstance(section, DynamicSection):
                # pyelftools sets the attribute by the tag's name, unseen by its own types.
                tags = section.iter_tags("DT_NEEDED")
                needed |= {tag.needed for tag in tags}  # type: ignore[attr-defined]
            elif isinstance(section, GNUVerNeedSection):
                symbols = [symbol.name for _, names in section.iter_versions() for symbol in names]
                glibcs |= {
                    Version(symbol.removeprefix("GLIBC_"))
                    for symbol in symbols
                    if symbol.startswith("GLIBC_2")
                }
        machine = elf["e_machine"].removeprefix("EM_").lower()
        return Library(machine, frozenset(needed), max(glibcs))
