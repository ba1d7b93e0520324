"""The limits of an image that Terraform derives are those that the conversion has measured."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

from image_converter.conversion import limits
from scripts.lib.paths import REPOSITORY
from tests.terraform.conftest import Terraform

pytestmark = pytest.mark.terraform

MB = 1024**2


MEMORY_MB = (512, 1024, 1769, 3008, 10_240)


@pytest.fixture(scope="module")
def derived(terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Terraform derives from each memory; to start it takes longer than that."""
    root = tmp_path_factory.mktemp("limits")
    (root / "module").mkdir()
    for name in ("variables.tf", "defaults.tf", "function_settings.tf"):
        shutil.copy(REPOSITORY / "terraform" / name, root / "module")
    (root / "module" / "outputs.tf").write_text(
        'output "limits" {\n  value = [local.max_image_bytes, local.max_image_pixels]\n}\n'
        'output "renditions" {\n  value = local.rendition_bytes\n}\n'
    )
    box = {"max_width": 320, "max_height": 240}
    formats = limits.ENCODER_BYTES_PER_PIXEL
    call = {
        "source": "./module",
        "for_each": {memory_mb: memory_mb for memory_mb in MEMORY_MB},
        "functions": {"resize_image": {"memory_mb": "${each.value}"}},
        "renditions": [{"name": name, "format": name, **box} for name in formats],
    }
    main = {"module": {"derived": call}, "output": {"derived": {"value": "${module.derived}"}}}
    (root / "main.tf.json").write_text(json.dumps(main))
    for command in (["get"], ["apply", "-auto-approve"]):
        done = terraform(root, *command)
        assert done.returncode == 0, done.stderr
    outputs: dict[str, Any] = json.loads(terraform(root, "output", "-json", "derived").stdout)
    return outputs


@pytest.mark.parametrize("memory_mb", MEMORY_MB)
def test_limits_follow_from_the_memory(memory_mb: int, derived: dict[str, Any]) -> None:
    outputs = derived[str(memory_mb)]
    expected = limits.for_memory(memory_mb * MB)
    assert outputs["limits"] == [expected.max_bytes, expected.max_pixels]
    assert outputs["renditions"] == {
        name: limits.bytes_for_renditions(0, 1, [(name, 320 * 240)])
        for name in limits.ENCODER_BYTES_PER_PIXEL
    }
