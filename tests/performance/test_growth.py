"""The benchmark of growth, run on small images without a look at how long they take."""

from contextlib import closing
from pathlib import Path

from tests.performance import engines, growth, measure
from tests.performance.photographs import Picture
from tests.support.images import digests, jpeg


def _pictures(folder: Path) -> list[Picture]:
    pictures = []
    for width, height in ((64, 48), (640, 480)):
        path = folder / f"{width}.jpg"
        path.write_bytes(jpeg(width, height))
        pictures.append(Picture(path, width * height / 1e6, photograph=True))
    return pictures


def test_every_size_has_a_step(tmp_path: Path) -> None:
    pictures = _pictures(tmp_path)
    steps = growth.measure_growth(pictures, 1, tmp_path, lambda _: None)
    assert [step.megapixels for step in steps] == [0.0, 0.3]
    assert all(step.cpu_ms_per_mp > 0 and step.peak_rss_mb > 0 for step in steps)
    assert all(step.wall_ratio_parallel > 0 for step in steps)
    assert growth.table(steps).row_count == len(steps)


def test_both_workers_write_the_same_png(tmp_path: Path) -> None:
    picture = _pictures(tmp_path)[-1]
    pngs = []
    for engine in engines.growing():
        with closing(measure.Worker(engine)) as worker:
            worker.convert(picture.path, tmp_path / "converted.png")
        pngs.append(digests((tmp_path / "converted.png").read_bytes()))
    assert pngs[0] == pngs[1]
