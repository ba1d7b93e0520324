"""make upload, watch, status and report, with the deployed pipeline behind them."""

import threading
from pathlib import Path

import pytest
from PIL import Image

from scripts.commands import redrive, status, upload, watch
from scripts.report import __main__ as report
from tests.conftest import Deployment
from tests.support import images
from tests.support.awkward_keys import SHOWN_AS_TEXT, TERMINAL_KEY

pytestmark = pytest.mark.e2e

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _environment(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in deployment.aws.env.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "at the sea.jpg"
    path.write_bytes(images.jpeg(60, 40))
    return path


def test_a_persons_first_minute(photo: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "pngs"
    assert upload.main([str(photo), "--wait", "--out", str(out), "--prefix", "commands/"]) == 0
    said = capsys.readouterr().out
    assert "sent commands/at the sea.jpg" in said
    assert "✓ commands/at the sea.jpg  converted" in said
    assert "60 x 40" in said
    with Image.open(out / "commands" / "at the sea.png") as png:
        assert (png.format, png.size) == ("PNG", (60, 40))

    assert status.main(["commands/at the sea.jpg"]) == 0
    said = capsys.readouterr().out
    assert "✓ converted" in said
    assert "/commands/at the sea.png" in said
    assert "in the source" not in said
    assert "cleaned up" in said
    arn = next(line.strip() for line in said.splitlines() if ":execution:" in line)

    assert watch.main(["--until-done"]) == 0
    assert "✓ commands/at the sea.jpg  converted" in capsys.readouterr().out, "it has just ended"

    assert report.main([arn, "--out", str(tmp_path / "report")]) == 0
    page = next((tmp_path / "report").glob("*.html")).read_text(encoding="utf-8")
    assert page.count("data:image/jpeg;base64,") == 2
    assert "INFO converted: key commands/at the sea.jpg" in page, "the function's own log"
    assert "the function time is what Lambda reported" in page
    assert "&#34;imageName&#34;" in page, "the record"


def test_a_damaged_image_is_reported_by_name_and_stays(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "half.jpg"
    path.write_bytes(images.jpeg(60, 40)[:-200])

    assert upload.main([str(path), "--wait", "--prefix", "commands/"]) == 1
    assert "✕ commands/half.jpg  failed" in (said := capsys.readouterr().out)
    assert "DamagedImage" in said
    assert status.main(["commands/half.jpg"]) == 0
    assert "in the source" in capsys.readouterr().out


def test_watching_reports_each_end_and_exits_when_done(photo: Path, capsys: Capture) -> None:
    done: list[int] = []
    watching = threading.Thread(target=lambda: done.append(watch.main(["--until-done"])))
    watching.start()
    assert upload.main([str(photo), "--prefix", "watched/", "--wait"]) == 0
    watching.join(120)

    assert done == [0]
    said = capsys.readouterr().out
    assert "✓ watched/at the sea.jpg  converted" in said
    assert "0 still running" in said


def test_a_wrong_name_is_explained_in_a_sentence(photo: Path, capsys: Capture) -> None:
    assert upload.main([str(photo), "--name", "nobody"]) == 1
    assert "no stack with that name is deployed there" in capsys.readouterr().err
    assert status.main(["never/seen.jpg"]) == 1
    assert "Nothing is known of 'never/seen.jpg'" in capsys.readouterr().err
    arn = "arn:aws:states:us-east-1:000000000000:execution:image-converter:nope"
    assert report.main([arn]) == 1
    assert "There is no execution" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "status_of_upload"),
    [(images.jpeg(60, 40), 0), (images.jpeg(60, 40)[:-200], 1)],
    ids=["converted", "damaged"],
)
def test_no_key_reaches_the_terminal_as_it_is(
    tmp_path: Path, capsys: Capture, content: bytes, status_of_upload: int
) -> None:
    path = tmp_path / TERMINAL_KEY
    path.write_bytes(content)
    key = f"terminal-{status_of_upload}/{TERMINAL_KEY}"
    out = str(tmp_path / "out")

    def shown(*lines: str) -> str:
        told = capsys.readouterr()
        printed = told.out + told.err
        # Other tests' keys are listed too; one of them is an emoji that is joined of two.
        assert printed.replace("\n", "").replace("\u200d", "").isprintable()
        for line in lines or (f"terminal-{status_of_upload}/{SHOWN_AS_TEXT}",):
            assert line in printed
        return printed

    arguments = [str(path), "--wait", "--out", out, "--prefix", f"terminal-{status_of_upload}/"]
    assert upload.main(arguments) == status_of_upload, capsys.readouterr()
    shown()
    assert status.main([key]) == 0
    printed = shown()
    assert status.main([f"no such {key}"]) == 1
    shown()
    assert watch.main(["--until-done"]) == 0
    shown()
    arn = next(line.strip() for line in printed.splitlines() if ":execution:" in line)
    assert report.main([arn, "--out", str(tmp_path / "report")]) == 0
    shown()
    if status_of_upload:
        assert redrive.main(["--dry-run"]) == 0
        shown()
