"""Reads what a shared library says about itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

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


def read(path: Path) -> Library | None:
    """Return what a file says about itself; None if it is no ELF file."""
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
