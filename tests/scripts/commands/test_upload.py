"""Which files go up under which key, and what is not handled in time."""

from pathlib import Path

import pytest

from scripts.commands import cli, upload
from scripts.commands.options import Target
from scripts.lib.user_errors import ExitStatus, UserError
from tests.scripts.commands.conftest import Stack


def touched(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def test_a_file_is_called_by_its_name_and_a_folders_files_by_their_path(tmp_path: Path) -> None:
    single = touched(tmp_path / "else" / "a b.jpg")
    touched(tmp_path / "photos" / "2026" / "sea.jpg")
    touched(tmp_path / "photos" / ".hidden")

    uploads = upload.uploads_of([single, tmp_path / "photos"], prefix="holiday/")

    assert [item.key for item in uploads] == ["holiday/a b.jpg", "holiday/2026/sea.jpg"]


@pytest.mark.parametrize(
    ("prefix", "key"),
    [
        ("", "a b.jpg"),
        ("holiday", "holiday/a b.jpg"),
        ("holiday/", "holiday/a b.jpg"),
        ("/x", "x/a b.jpg"),
        ("/", "a b.jpg"),
        ("a/b", "a/b/a b.jpg"),
    ],
)
def test_a_prefix_is_a_folder(tmp_path: Path, prefix: str, key: str) -> None:
    assert [item.key for item in upload.uploads_of([touched(tmp_path / "a b.jpg")], prefix)] == [
        key
    ]


def test_what_cannot_be_sent_is_refused_before_anything_is(tmp_path: Path) -> None:
    first, other = touched(tmp_path / "a" / "x.jpg"), touched(tmp_path / "b" / "x.jpg")
    (tmp_path / "empty").mkdir()

    with pytest.raises(UserError, match=r"both be called x\.jpg"):
        upload.uploads_of([first, other])
    with pytest.raises(UserError, match="no file"):
        upload.uploads_of([tmp_path / "empty"])
    with pytest.raises(UserError, match="1024 bytes"):
        upload.uploads_of([first], prefix="n" * 1020)


def test_no_key_leads_out_of_the_folder_for_the_pngs(tmp_path: Path) -> None:
    assert upload._inside(tmp_path, "a/b.png") == tmp_path.resolve() / "a" / "b.png"
    assert upload._inside(tmp_path, "/b.png") == tmp_path.resolve() / "b.png"
    assert upload._inside(tmp_path, "../../b.png").resolve().is_relative_to(tmp_path.resolve())


@pytest.mark.parametrize(
    ("names", "uploaded", "left"),
    [
        (["a.jpg"], "1 file uploaded to s3://", "1 image has not been handled yet (a.jpg)"),
        (["a.jpg", "b.jpg"], "2 files uploaded", "2 images have not been handled yet (a.jpg, b"),
    ],
)
def test_what_is_not_handled_in_time_is_counted(
    names: list[str],
    uploaded: str,
    left: str,
    stack: Stack,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Its bucket notifies nobody."""
    monkeypatch.setattr(Target, "find", lambda _: (stack.clients, stack.deployment))
    monkeypatch.setattr(upload, "_TIMEOUT_SECONDS", 0)
    files = [str(touched(tmp_path / name)) for name in names]
    assert cli.run(["upload", *files, "--wait"]) == ExitStatus.TIMED_OUT
    output = capsys.readouterr()
    assert uploaded in output.out
    assert left in output.err
