"""Makes renditions with this project; the counterpart of sharp_renditions.js, with its protocol."""

import io
import json
import sys
from pathlib import Path

from image_converter import renditions
from image_converter.conversion import Limits, convert_all
from tests.performance import worker

_LIMITS = Limits(max_bytes=1 << 40, max_pixels=1 << 40)


def main() -> None:
    """Do the jobs that standard input names, until it ends."""
    for line in sys.stdin:
        job = json.loads(line)
        entries = [
            {
                "name": str(number),
                "format": output["format"],
                "max_width": output["width"] or None,
                **output["options"],
            }
            for number, output in enumerate(job["outputs"])
        ]
        wanted = renditions.parse(json.dumps(entries))
        before = worker.cpu_seconds()
        files = [io.BytesIO() for _ in wanted]
        targets = list(zip(wanted, files, strict=True))
        convert_all(Path(job["jpeg"]).read_bytes(), targets, _LIMITS)
        for output, file in zip(job["outputs"], files, strict=True):
            Path(output["file"]).write_bytes(file.getbuffer())
        sys.stdout.write(f"{(worker.cpu_seconds() - before) * 1000}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
