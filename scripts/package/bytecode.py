"""Compiles a folder of Python sources with an interpreter of the target's version.

Without bytecode in the package each cold start compiles everything again, for Lambda's file system
is read-only. Bytecode of another version would be dead weight, so it is never made.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from scripts.package import PackageError
from scripts.package.interpreters import Interpreter

# Unchecked: the loader compares the bytecode neither with the time nor the text of the source, for
# in a package the source cannot change.
_COMPILE: Final = """
import compileall, py_compile, sys
sys.exit(not compileall.compile_dir(
    sys.argv[1], ddir=sys.argv[2], force=True, quiet=1,
    invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
))
"""


def compile_tree(interpreter: Interpreter, tree: Path, home: str) -> None:
    """Put bytecode next to each source in a folder.

    Parameters:
        interpreter: of the version that will run it.
        tree: the folder.
        home: where the folder will be on Lambda; the bytecode names its sources by it.

    Raises:
        PackageError: a source does not compile.
    """
    done = interpreter.run(_COMPILE, str(tree), home)
    if done.returncode:
        what = (done.stdout + done.stderr).strip()
        raise PackageError(f"Python {interpreter.version} cannot compile the sources:\n{what}")
