"""The bills, calculated again by hand from one execution with round figures."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import pytest

from scripts.cost import article, backfill, pipeline
from scripts.cost.model import Bill, duration_ms, item_bytes
from scripts.cost.observation import Call, Observation
from scripts.cost.pipeline import EXPRESS, STANDARD, Settings

# As Lambda reported it: billed milliseconds with the memory that the function had.
ON_AWS = Observation(
    where="AWS, us-east-1",
    date="2026-11-24",
    whole_processor=False,
    seconds=1.23,
    transitions=7,
    calls=(
        Call("trigger", 256, 100, 1000, 500),
        Call("get_file_type", 256, 100, 1000, 500),
        Call("copy_file", 512, 200, 1000, 500),
        Call("resize_image", 2048, 400, 1000, 500),
        Call("write_to_dynamodb", 256, 100, 1000, 500),
        Call("delete_file", 256, 100, 1000, 500),
    ),
    history_bytes=30_000,
    history_bytes_bare=10_000,
    record_bytes=1_500,
    jpeg_bytes=600_000,
    png_bytes=4_000_000,
    megapixels=2.0,
)


@dataclass(frozen=True)
class Dollars:
    """Lines of a bill for a million images, rounded to cents."""

    bill: Bill

    def __getitem__(self, what: str) -> float:
        lines = (*self.bill.converting, *self.bill.upload, *self.bill.storage)
        [dollars] = [line.per_million for line in lines if line.what == what]
        return round(dollars, 2)

    def __contains__(self, what: str) -> bool:
        return what in {line.what for line in self.bill.converting}


def test_a_standard_bill_by_hand() -> None:
    bill = pipeline.bill(ON_AWS, STANDARD)
    dollars = Dollars(bill)

    assert dollars["State transitions"] == 175.00  # 7 million at 25 dollars
    # 4 x 0.25 GB x 0.1 s, 0.5 GB x 0.2 s, 2 GB x 0.4 s: a million GB-seconds on arm64.
    assert sum(line.per_million for line in bill.converting if line.what == "Function time") == (
        pytest.approx(13.3334)
    )
    assert dollars["Function calls"] == 1.20  # 6 million at 20 cents
    assert dollars["S3: copies and PNGs"] == 10.00  # the copy and the PNG, at 5 dollars
    assert dollars["S3: GET and HEAD requests"] == 1.60  # 4 million at 40 cents
    assert dollars["Table"] == 1.25  # 2 KB, at 62.5 cents
    assert dollars["Queue"] == 1.20  # sent, received, deleted, at 40 cents
    assert dollars["Logs of functions"] == 3.00  # 6,000 bytes at 50 cents the GB
    assert "Logs of executions" not in dollars  # only errors are logged
    assert dollars["Traces"] == 0.25  # 5% of a million, at 5 dollars
    assert bill.per_million == pytest.approx(175 + 13.3334 + 1.2 + 10 + 1.6 + 1.25 + 1.2 + 3 + 0.25)


def test_an_express_bill_by_hand() -> None:
    dollars = Dollars(pipeline.bill(ON_AWS, EXPRESS))

    assert "State transitions" not in dollars
    assert dollars["EXPRESS executions"] == 1.00
    # 1.23 seconds count as 1.3, 50 MB and a little as 64: 81,250 GB-seconds at 6 cents the hour.
    assert dollars["EXPRESS time"] == 1.35
    assert dollars["Logs of executions"] == 7.50  # 30,000 bytes at 25 cents the GB
    # 6,000 bytes without Lambda's own half, at 50 cents the GB.
    assert dollars["Logs of functions"] == 1.50


def test_what_lambda_would_log_is_paid_for_also_where_it_logged_nothing() -> None:
    calls = tuple(
        dataclasses.replace(call, log_bytes=call.log_bytes - call.system_bytes, system_bytes=0)
        for call in ON_AWS.calls
    )
    quiet = dataclasses.replace(ON_AWS, calls=calls)
    assert Dollars(pipeline.bill(quiet, EXPRESS))["Logs of functions"] == 1.50
    standard = Dollars(pipeline.bill(quiet, STANDARD))
    # Six times 335 bytes more than the 3,000 of the functions themselves.
    assert standard["Logs of functions"] == pytest.approx(2.505, abs=0.006)


def test_a_backfill_by_hand() -> None:
    bill = backfill.bill(ON_AWS, EXPRESS)
    dollars = Dollars(bill)

    assert dollars["Listing"] == 0.01  # a thousand requests, rounded up
    assert dollars["State transitions: children"] == 2.50  # ten objects each
    assert dollars["EXPRESS children"] == 0.10
    # A sixteenth of a GB for 0.2 s each: 1,250 GB-seconds at 6 cents the hour.
    assert dollars["EXPRESS children's time"] == 0.02
    assert dollars["The trigger's HEAD request"] == 0.40
    assert dollars["Table: the record"] == 0.12  # 12.5 cents
    # A quarter of a GB for 60 ms each: 15,000 GB-seconds on arm64.
    assert dollars["The trigger's time"] == 0.20
    usual = pipeline.bill(ON_AWS, EXPRESS)
    assert bill.per_million == pytest.approx(
        usual.per_million + 0.005 + 2.5 + 0.1 + 0.020833 + 0.4 + 0.125 + 0.2 - 0.36, abs=1e-3
    )


@pytest.mark.parametrize(
    ("change", "what", "dollars"),
    [
        ({"state_machine_log_execution_data": False}, "Logs of executions", 2.50),
        ({"state_machine_log_class": "STANDARD"}, "Logs of executions", 15.00),
        ({"events": True}, "Logs of executions", 15.00),
        ({"architecture": "x86_64"}, "Function time", 16.67),
        ({"log_level": "ERROR", "system_log_level": "INFO"}, "Logs of functions", 1.50),
        ({"system_log_level": "INFO"}, "Logs of functions", 3.00),
    ],
)
def test_a_setting_moves_its_line(change: dict[str, object], what: str, dollars: float) -> None:
    settings = dataclasses.replace(EXPRESS, **change)  # type: ignore[arg-type]
    lines = pipeline.bill(ON_AWS, settings).converting

    assert [round(line.per_million, 2) for line in lines if line.what == what] == [dollars]


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        (Settings(tracing=False), "Traces"),
        (dataclasses.replace(EXPRESS, state_machine_log_level="ERROR"), "Logs of executions"),
    ],
)
def test_what_is_switched_off_has_no_line(settings: Settings, what: str) -> None:
    assert what not in Dollars(pipeline.bill(ON_AWS, settings))


def test_each_further_rendition_is_written_and_the_first_looked_for() -> None:
    png = pipeline.bill(ON_AWS, STANDARD)
    three = pipeline.bill(dataclasses.replace(ON_AWS, further_renditions=2), STANDARD)
    with_webps = pipeline.bill(ON_AWS, Settings(webps=2))
    # $5 for a million PUTs, $0.40 for a million HEADs.
    assert three.per_million - png.per_million == pytest.approx(2 * 5.00 + 0.40)
    # The record of WebPs grows as well: from 1,500 to 2,500 bytes, a unit more.
    assert with_webps.per_million - png.per_million == pytest.approx(
        2 * 5.00 + 0.40 + 0.625, abs=0.01
    )


def test_further_renditions_are_stored_as_they_were_seen_or_measured() -> None:
    seen = dataclasses.replace(ON_AWS, further_renditions=2, further_bytes=1_000_000)
    made = Dollars(pipeline.bill(seen, STANDARD))
    with_webps = Dollars(pipeline.bill(ON_AWS, Settings(webps=2)))
    assert made["Further renditions"] == 23.00  # 1,000 GB
    assert with_webps["Further renditions"] == 1.79  # 78 GB
    assert pipeline.bill(ON_AWS, STANDARD).storage[-1].what == "Deleted originals, recoverable"


def test_what_comes_through_the_api_and_what_is_kept() -> None:
    bill = pipeline.bill(ON_AWS, STANDARD)
    dollars = Dollars(bill)

    assert dollars["HTTP API"] == 2.00  # 600,000 bytes are two times 512 KB
    assert dollars["S3: the upload"] == 5.00
    assert dollars["PNGs"] == 92.00  # 4,000 GB at 2.3 cents
    assert dollars["Originals"] == 13.80
    assert dollars["Deleted originals, recoverable"] == 13.80


def test_the_articles_bill_by_hand() -> None:
    bill = article.bill(ON_AWS)
    dollars = Dollars(bill)

    assert dollars["State transitions"] == 175.00
    # With 1,024 MB a function has 0.5789 of a processor. Trigger, copy, delete: 5 ms / 0.5789 + 50.
    # Type: nothing. Conversion: (2 x 420 + 2 x 5) / 0.5789 + 100. Record: 5 / 0.5789 + 10.
    # And 3 ms of a cold start for each of the six.
    share = 1024 / 1769
    milliseconds = 3 * (5 / share + 50) + 850 / share + 100 + 5 / share + 10 + 6 * 3
    [time] = [line for line in bill.converting if line.what == "Function time"]
    assert time.quantity == pytest.approx(milliseconds / 1000)
    assert time.per_million == pytest.approx(milliseconds / 1000 * 16.6667)
    assert dollars["Function calls"] == 1.20
    assert dollars["S3: copies and PNGs"] == 10.00
    assert dollars["S3: GET and HEAD requests"] == 0.40
    assert dollars["Table"] == 0.62  # 0.625
    assert dollars["Logs of functions"] == 1.20
    assert dollars["REST API"] == 3.50
    assert dollars["PNGs"] == 84.12  # 1.086 / 0.993 times smaller than ours


def test_the_articles_state_times_out_at_four_megapixels() -> None:
    # 2,900 ms of 0.5789 of a processor, 420 for each.
    assert article.largest_megapixels() == pytest.approx(3.997, abs=0.001)


def test_less_memory_is_less_of_a_processor() -> None:
    assert duration_ms(1769, 100, 50) == pytest.approx(100 + 50 + 3)
    assert duration_ms(3538, 100, 50) == pytest.approx(100 + 50 + 3)
    assert duration_ms(1769 // 2, 100, 50) == pytest.approx(200 + 50 + 3, rel=0.01)


def test_on_the_local_aws_the_processors_share_and_the_waiting_are_added() -> None:
    local = dataclasses.replace(
        ON_AWS, whole_processor=True, calls=(Call("resize_image", 1024, 100, 0),)
    )
    [time] = [
        line for line in pipeline.bill(local, STANDARD).converting if line.what == "Function time"
    ]

    # Two requests to S3 of 50 ms.
    assert time.quantity == pytest.approx((100 * 1769 / 1024 + 100 + 3) / 1000)


def test_what_functions_cost_is_their_time_their_calls_and_their_logs() -> None:
    lines = {line.what: line.per_million for line in pipeline.bill(ON_AWS, STANDARD).converting}
    parts = ("Function time", "Function calls", "Logs of functions")

    costs = pipeline.function_costs(ON_AWS)
    assert costs.keys() == {call.function for call in ON_AWS.calls}
    assert costs["copy_file"] == pytest.approx(0.5 * 0.2 * 13.3334 + 0.20 + 0.50)
    assert sum(costs.values()) == pytest.approx(sum(lines[part] for part in parts))


def test_the_largest_line_is_reported() -> None:
    assert pipeline.bill(ON_AWS, STANDARD).largest.what == "State transitions"
    assert pipeline.bill(ON_AWS, EXPRESS).largest.what == "Function time"


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (None, 1),
        (True, 1),
        ("Küste", 6),
        (1234, 3),
        ([1, 2], 3 + 2 * (1 + 1)),
        ({"key": "ab"}, 3 + 1 + 3 + 2),
    ],
)
def test_an_items_size_is_counted_as_dynamodb_does(value: object, size: int) -> None:
    assert item_bytes(value) == size
