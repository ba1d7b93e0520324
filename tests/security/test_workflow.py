"""What the workflow on GitHub may do, and whose code it runs."""

import re

from scripts.lib.paths import REPOSITORY

WORKFLOWS = sorted((REPOSITORY / ".github" / "workflows").glob("*.y*ml"))


def test_actions_are_pinned_by_digest() -> None:
    assert WORKFLOWS
    for workflow in WORKFLOWS:
        for action in re.findall(r"uses:\s*(.+)", workflow.read_text(encoding="utf-8")):
            assert re.fullmatch(r"[\w/.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


def test_containers_are_pinned_by_digest() -> None:
    for workflow in WORKFLOWS:
        for image in re.findall(r"(?:container|image):\s*(\S+)", workflow.read_text("utf-8")):
            assert re.fullmatch(r"[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}", image), image


def test_the_default_processor_is_tried() -> None:
    assert any("make test-arm64" in workflow.read_text("utf-8") for workflow in WORKFLOWS)


def test_workflows_may_read_and_nothing_else() -> None:
    for workflow in WORKFLOWS:
        text = workflow.read_text(encoding="utf-8")
        assert re.findall(r"permissions:\n((?:  +\S.*\n)+)", text) == ["  contents: read\n"]
        assert "pull_request_target" not in text
        assert "secrets." not in text
        assert "persist-credentials: false" in text
