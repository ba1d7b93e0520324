"""What the list of executions says, without a browser."""

from scripts.lib.executions.run import Picture, Run
from scripts.lib.text import size
from scripts.report import pages
from tests.scripts.report.conftest import run_of

ORIGINAL = Picture("Original", "s3://pictures/a.jpg", 3_000_000)


def _index(run: Run) -> str:
    return pages.index_page([pages.Row(run, "a.html")], "all")


def test_outputs_are_all_that_was_made_whatever_its_format() -> None:
    run = run_of("aws", "succeeded")
    webp = Picture("WEBP", "s3://pictures/a.webp", 40_000)
    run.pictures = [ORIGINAL, webp, Picture("Original", "s3://pictures/a-Original.avif", 2_000)]
    page = _index(run)
    assert 'data-size="42000"' in page
    assert f"<dt>Originals</dt><dd>{size(3_000_000)}</dd>" in page
    assert f"<dt>Outputs</dt><dd>{size(42_000)}</dd>" in page


def test_an_original_that_is_gone() -> None:
    run = run_of("aws", "succeeded")
    run.pictures = [Picture("PNG", "s3://pictures/a.png", 40_000)]
    assert (run.original_bytes, run.made_bytes) == (0, 40_000)
    run.pictures = [ORIGINAL]
    assert (run.original_bytes, run.made_bytes) == (3_000_000, 0)
