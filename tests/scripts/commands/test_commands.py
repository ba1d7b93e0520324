"""The commands upload, watch, status and report, with the deployed pipeline behind them."""

import threading
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from scripts.commands import cli
from scripts.commands.options import Target
from scripts.lib.executions import collect
from tests.conftest import of_both_types
from tests.support import images, json_output, pipeline
from tests.support.awkward_keys import SHOWN_AS_TEXT, TERMINAL_KEY

pytestmark = [
    pytest.mark.e2e,
    of_both_types,
    pytest.mark.usefixtures("deployed_type", "in_the_environment"),
]

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "at the sea.jpg"
    path.write_bytes(images.jpeg(60, 40))
    return path


def arn_in(printed: str) -> str:
    """Return the first ARN of an execution in what was printed."""
    arns = (line.strip() for line in printed.splitlines())
    return next(line for line in arns if ":execution:" in line or ":express:" in line)


def test_a_persons_first_minute(photo: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "pngs"
    assert (
        cli.run(["upload", str(photo), "--wait", "--out", str(out), "--prefix", "commands/"]) == 0
    )
    output = capsys.readouterr().out
    assert "sent commands/at the sea.jpg" in output
    assert "✓ commands/at the sea.jpg  converted" in output
    assert "60 x 40" in output
    with Image.open(out / "commands" / "at the sea.png") as png:
        assert (png.format, png.size) == ("PNG", (60, 40))

    assert cli.run(["status", "commands/at the sea.jpg"]) == 0
    output = capsys.readouterr().out
    assert "✓ converted" in output
    assert "/commands/at the sea.png" in output
    assert "in the source" not in output
    assert "cleaned up" in output
    arn = arn_in(output)

    assert cli.run(["watch", "--until-done"]) == 0
    assert "✓ commands/at the sea.jpg  converted" in capsys.readouterr().out, "it has just ended"

    assert cli.run(["report", arn, "--out", str(tmp_path / "report")]) == 0
    page = next((tmp_path / "report").glob("*.html")).read_text(encoding="utf-8")
    assert page.count("data:image/jpeg;base64,") == 2
    assert "INFO converted: key commands/at the sea.jpg" in page, "the function's own log"
    assert "the function time is what Lambda reported" in page
    assert "&#34;imageName&#34;" in page, "the record"


def test_a_damaged_image_is_reported_by_name_and_stays(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "half.jpg"
    path.write_bytes(images.jpeg(60, 40)[:-200])

    assert cli.run(["upload", str(path), "--wait", "--prefix", "commands/"]) == 4
    assert "✕ commands/half.jpg  failed" in (output := capsys.readouterr().out)
    assert "DamagedImage" in output
    assert cli.run(["status", "commands/half.jpg"]) == 4
    assert "in the source" in capsys.readouterr().out


def test_watching_reports_each_end_and_exits_when_done(photo: Path, capsys: Capture) -> None:
    done: list[int] = []
    watching = threading.Thread(target=lambda: done.append(cli.run(["watch", "--until-done"])))
    watching.start()
    assert cli.run(["upload", str(photo), "--prefix", "watched/", "--wait"]) == 0
    watching.join(120)

    assert done == [0]
    output = capsys.readouterr().out
    assert "✓ watched/at the sea.jpg  converted" in output
    assert "; 0 are running." in output


def test_a_wrong_name_is_explained_in_a_sentence(
    photo: Path, capsys: Capture, deployed_type: str
) -> None:
    assert cli.run(["upload", str(photo), "--name", "nobody"]) == 3
    assert "There is no stack named nobody" in capsys.readouterr().err
    assert cli.run(["status", "never/seen.jpg"]) == 1
    assert "Nothing is known of 'never/seen.jpg'" in capsys.readouterr().err
    kind = "express" if deployed_type == "EXPRESS" else "execution"
    arn = f"arn:aws:states:us-east-1:000000000000:{kind}:image-converter:nope:1"
    assert cli.run(["report", arn]) == 1
    missing = "Nothing is logged of" if deployed_type == "EXPRESS" else "There is no execution"
    assert missing in capsys.readouterr().err


def test_scripts_get_json_by_a_schema(photo: Path, tmp_path: Path, capsys: Capture) -> None:
    half = tmp_path / "half.jpg"
    half.write_bytes(images.jpeg(60, 40)[:-200])

    answer = partial(json_output.answer, capsys)
    out = str(tmp_path / "pngs")
    files = (str(photo), str(half))
    sent = answer("upload", *files, "--prefix", "/json", "--out", out, expected=4)
    whole, damaged = sent["uploads"]
    assert (whole["key"], whole["state"]) == ("json/at the sea.jpg", "converted")
    assert (damaged["state"], damaged["png"]) == ("failed", None)
    assert Path(whole["downloaded"]).read_bytes().startswith(b"\x89PNG")

    started = answer("start", whole["key"])
    source = collect.source(*Target().find())
    pipeline.listed_as_ended(source, executionArn=started["executionArn"])
    status = answer("status", whole["key"])
    assert status["state"] == "converted"
    assert status["executions"][0]["arn"] == started["executionArn"]
    assert {execution["versionId"] for execution in status["executions"]} == {whole["versionId"]}
    assert answer("status", damaged["key"], expected=4)["png"] is None

    page = answer("report", started["executionArn"], "--out", str(tmp_path / "report"))["page"]
    assert Path(page).is_file()
    left = answer("redrive", "--dry-run")["results"]
    assert [result["did"] for result in left if result["key"] == damaged["key"]] == ["left"]
    assert cli.run(["watch", "--until-done", "--json"]) == 0
    for line in capsys.readouterr().out.splitlines():
        json_output.validated("watch", line)


@pytest.mark.parametrize(
    ("content", "status_of_upload"),
    [(images.jpeg(60, 40), 0), (images.jpeg(60, 40)[:-200], 4)],
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
        captured = capsys.readouterr()
        printed = captured.out + captured.err
        # Other tests' keys are listed too; one of them is an emoji that is joined of two.
        assert printed.replace("\n", "").replace("\u200d", "").isprintable()
        for line in lines or (f"terminal-{status_of_upload}/{SHOWN_AS_TEXT}",):
            assert line in printed
        return printed

    arguments = [str(path), "--wait", "--out", out, "--prefix", f"terminal-{status_of_upload}/"]
    assert cli.run(["upload", *arguments]) == status_of_upload, capsys.readouterr()
    shown()
    assert cli.run(["status", key]) == status_of_upload
    printed = shown()
    assert cli.run(["status", f"no such {key}"]) == 1
    shown()
    assert cli.run(["watch", "--until-done"]) == 0
    shown()
    arn = arn_in(printed)
    assert cli.run(["report", arn, "--out", str(tmp_path / "report")]) == 0
    shown()
    if status_of_upload:
        assert cli.run(["redrive", "--dry-run"]) == 0
        shown()
