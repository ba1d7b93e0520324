"""Runs packaged code in an interpreter of its own: this file is the program that runs there.

    python -S packaged.py convert FUNCTIONS LAYER CASES OUT
    python -S packaged.py handle FUNCTIONS LAYER EVENT OUT

It needs nothing but the standard library and what the package holds.
"""

import importlib
import io
import json
import platform
import sys
from pathlib import Path
from typing import Any


def _convert(cases: Path, out: Path) -> Any:
    """Convert each file by both compressions; keep the PNGs, return what became of each."""
    conversion = importlib.import_module("image_converter.conversion")
    errors = importlib.import_module("image_converter.errors")
    limits = conversion.Limits(**json.loads((cases / "limits.json").read_text(encoding="utf-8")))
    described: dict[str, Any] = {}
    for path in sorted(cases.glob("*.jpg")):
        for compression in ("fast", "smallest"):
            name, png = f"{path.stem}-{compression}", io.BytesIO()
            try:
                made = conversion.convert(path.read_bytes(), png, limits, compression)
            except errors.ConversionError as error:
                described[name] = {"error": type(error).__name__, "message": str(error)}
            else:
                described[name] = made._asdict()
                (out / f"{name}.png").write_bytes(png.getvalue())
    return described


def _handle(event: Path) -> Any:
    """Start a handler as Lambda does, and call it once."""
    handlers = importlib.import_module("image_converter.handlers.resize_image")
    return handlers.handler(json.loads(event.read_text(encoding="utf-8")), None)


def main() -> None:
    """Do what the command line says; write the result and the machine that it came from."""
    task, functions, layer, source, out = sys.argv[1:]
    sys.path[:0] = [functions, layer]
    result = _convert(Path(source), Path(out)) if task == "convert" else _handle(Path(source))
    modules = {name: sys.modules[name].__file__ for name in ("PIL", "isal", "image_converter")}
    (Path(out) / "result.json").write_text(
        json.dumps({"machine": platform.machine(), "modules": modules, "result": result}),
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
