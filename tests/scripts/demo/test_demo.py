"""The demonstration shows what it does, and leaves nothing running when it is stopped."""

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.demo import run
from scripts.demo.__main__ import main
from scripts.demo.display import Display
from scripts.lib import photographs, wait
from scripts.lib.paths import REPOSITORY
from scripts.lib.terminal import Console
from scripts.lib.terraform_stack import Progress
from tests.support import processes


def _display() -> tuple[Display, io.StringIO]:
    shown = io.StringIO()
    return Display(Console(file=shown, width=80)), shown


def test_photographs_are_what_the_demonstration_promises() -> None:
    megapixels = [width * height / 1e6 for width, height in (s.size for s in photographs.SCENES)]
    assert min(megapixels) < 0.2
    assert max(megapixels) == 12
    names = [scene.name for scene in photographs.SCENES]
    assert any(name.endswith(".JPEG") for name in names)
    assert any(" " in name and not name.isascii() for name in names)


def test_photograph_is_the_same_every_time() -> None:
    assert photographs.jpeg(photographs.SCENES[0]) == photographs.jpeg(photographs.SCENES[0])


def test_progress_is_plain_lines_without_a_terminal() -> None:
    display, shown = _display()

    with display.terraform() as report:
        report(Progress(1, 2, ("module.source_bucket.aws_s3_bucket.this",)))
        report(Progress(2, 2))

    assert shown.getvalue() == "  2 of 2 resources\n"


def test_missing_images_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--directory", str(tmp_path / "demo"), "--images", str(tmp_path / "none")]

    assert main(arguments) == 1

    assert "make demo IMAGES=" in capsys.readouterr().out.replace("\n", " ")


def test_folder_is_uploaded_with_its_subfolders(tmp_path: Path) -> None:
    for name in ("a.jpg", "deep/b.jpg", ".hidden"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    files = run._choose_files(_display()[0], tmp_path, tmp_path / "unused")

    assert files == {"a.jpg": tmp_path / "a.jpg", "deep/b.jpg": tmp_path / "deep/b.jpg"}


@pytest.mark.e2e
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_running_when_it_is_stopped(tmp_path: Path, how: signal.Signals) -> None:
    photograph = tmp_path / "a.jpg"
    photograph.write_bytes(photographs.jpeg(photographs.SCENES[0]))
    directory = tmp_path / "demo"
    command = [sys.executable, "-m", "scripts.demo", "--directory", str(directory)]
    demo = subprocess.Popen(
        [*command, "--images", str(photograph)],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": f"lambda_src{os.pathsep}."},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    log = directory / "stack" / "terraform.log"
    wait.until("Terraform to apply", lambda: log.exists() and b"apply_start" in log.read_bytes())

    demo.send_signal(how)

    status = demo.wait()
    assert status == (130 if how == signal.SIGINT else -signal.SIGKILL)
    wait.until("every process to end", lambda: not processes.belonging_to(directory))
