"""The limits of an image that Terraform derives are those that the conversion has measured."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from image_converter.conversion import limits
from scripts.lib.paths import REPOSITORY
from tests.terraform.conftest import Terraform

pytestmark = pytest.mark.terraform

MB = 1024**2


@pytest.mark.parametrize("memory_mb", [512, 1024, 1769, 3008, 10_240])
def test_limits_follow_from_the_memory(
    memory_mb: int, terraform: Terraform, tmp_path: Path
) -> None:
    for name in ("variables.tf", "defaults.tf", "function_settings.tf"):
        shutil.copy(REPOSITORY / "terraform" / name, tmp_path)
    (tmp_path / "outputs.tf").write_text(
        'output "limits" {\n  value = [local.max_image_bytes, local.max_image_pixels]\n}\n'
        'output "renditions" {\n  value = local.rendition_bytes\n}\n'
    )
    values = tmp_path / "values.tfvars.json"
    formats = limits.ENCODER_BYTES_PER_PIXEL
    box = {"max_width": 320, "max_height": 240}
    settings = {
        "functions": {"resize_image": {"memory_mb": memory_mb}},
        "renditions": [{"name": name, "format": name, **box} for name in formats],
    }
    values.write_text(json.dumps(settings))

    applied = terraform(tmp_path, "apply", "-auto-approve", f"-var-file={values}")
    assert applied.returncode == 0, applied.stderr
    bytes_and_pixels = json.loads(terraform(tmp_path, "output", "-json", "limits").stdout)

    expected = limits.for_memory(memory_mb * MB)
    assert bytes_and_pixels == [expected.max_bytes, expected.max_pixels]
    needed = json.loads(terraform(tmp_path, "output", "-json", "renditions").stdout)
    assert needed == {
        name: limits.bytes_for_renditions(0, 1, [(name, 320 * 240)]) for name in formats
    }
