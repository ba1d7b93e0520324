"""The report in a real browser, as a person meets it."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from scripts.report import pages
from tests.scripts.report.conftest import run_of

# The colours of the light palette, as the browser computes them.
GREEN, ORANGE, RED, GREY = (
    "rgb(29, 131, 72)",
    "rgb(199, 106, 0)",
    "rgb(198, 43, 43)",
    "rgb(153, 164, 176)",
)
WIDTHS = (360, 768, 1280)


def node(page: Page, state: str) -> Locator:
    return page.locator(f'.graph a[data-state="{state}"]')


def colour(page: Page, state: str) -> str:
    colour: str = node(page, state).locator(".shape").evaluate("e => getComputedStyle(e).stroke")
    return colour


@pytest.mark.parametrize(
    ("name", "colours"),
    [
        (
            "aws-succeeded",
            {
                "ResizeImage": GREEN,
                "ProcessFile": GREEN,
                "DeleteSourceFile": GREEN,
                "QuitMain": GREY,
            },
        ),
        ("aws-retried", {"ResizeImage": ORANGE, "ProcessFile": GREEN, "QuitResize": GREY}),
        (
            "aws-damaged",
            {
                "GetFileType": GREEN,
                "ResizeImage": ORANGE,
                "QuitResize": RED,
                "ProcessFile": RED,
                "WriteToDynamoDb": GREY,
            },
        ),
        ("aws-no-record", {"WriteToDynamoDb": ORANGE, "QuitMain": RED, "ProcessFile": GREEN}),
        ("aws-not-a-jpeg", {"DeleteSourceFile": GREEN, "ProcessFile": GREY}),
        ("local-timed-out", {"ResizeImage": ORANGE, "QuitResize": RED}),
        (
            "express-succeeded",
            {"ResizeImage": GREEN, "ProcessFile": GREEN, "DeleteSourceFile": GREEN},
        ),
        ("express-damaged", {"ResizeImage": ORANGE, "QuitResize": RED, "ProcessFile": RED}),
        ("express-bare", {"ResizeImage": GREEN, "ProcessFile": GREEN, "QuitMain": GREY}),
        ("express-errors", {"QuitResize": RED, "GetFileType": GREY}),
    ],
)
def test_the_graph_has_the_colours_of_the_run(
    page: Page, report: Path, name: str, colours: dict[str, str]
) -> None:
    page.goto((report / f"{name}.html").as_uri())

    assert {state: colour(page, state) for state in colours} == colours


def test_an_express_execution_has_the_page_of_a_standard_one(page: Page, report: Path) -> None:
    def shown(name: str) -> list[str]:
        page.goto((report / f"{name}.html").as_uri())
        return page.locator("h2, .graph .say, .time li .name, summary").all_inner_texts()

    assert shown("express-damaged") == shown("aws-damaged")

    page.goto((report / "express-succeeded.html").as_uri())
    expect(page.get_by_role("row", name="EXPRESS executions")).to_have_count(1)
    expect(page.get_by_role("row", name="EXPRESS time")).to_have_count(1)
    expect(page.get_by_role("row", name="State transitions")).to_have_count(0)
    node(page, "GetFileType").click()
    shown_state = page.locator(".about:visible")
    expect(shown_state.get_by_label("Input of GetFileType 1")).to_contain_text(
        '"holiday/beach.jpg"'
    )
    expect(shown_state.get_by_label("Output of GetFileType 1")).to_contain_text('"fileType": "jpg"')


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("express-bare", "state_machine_log_execution_data = true"),
        ("express-errors", 'state_machine_log_level = "ALL"'),
    ],
)
def test_what_is_not_logged_is_said_once(page: Page, report: Path, name: str, setting: str) -> None:
    page.goto((report / f"{name}.html").as_uri())
    assert page.locator("body").inner_text().count(setting) == 1


def test_an_outcome_is_also_shown_without_colour(page: Page, report: Path) -> None:
    page.goto((report / "aws-damaged.html").as_uri())

    expect(node(page, "ResizeImage").locator(".say")).to_have_text("! caught")
    expect(node(page, "QuitResize").locator(".say")).to_have_text("✕ failed")
    expect(node(page, "WriteToDynamoDb").locator(".say")).to_have_text("○ not entered")
    expect(node(page, "ResizeImage")).to_have_attribute(
        "aria-label", "ResizeImage, Task: caught, 1 attempt"
    )


def test_what_went_wrong_is_open_at_first_and_a_click_opens_another_state(
    page: Page, report: Path
) -> None:
    page.goto((report / "aws-damaged.html").as_uri())
    shown = page.locator(".about:visible")
    expect(shown).to_have_count(1)
    expect(shown.locator("h2")).to_contain_text("ResizeImage")
    expect(shown).to_contain_text("DamagedImage: The JPEG is cut off")
    expect(shown.get_by_label("Logs of ResizeImage")).to_contain_text("<b>key</b>")

    node(page, "GetFileType").click()

    expect(shown).to_have_count(1)
    expect(shown.locator("h2")).to_contain_text("GetFileType")
    expect(shown.get_by_label("Input of GetFileType 1")).to_contain_text('"holiday/half.jpg"')
    expect(shown.get_by_label("Output of GetFileType 1")).to_contain_text('"fileType": "jpg"')
    expect(node(page, "GetFileType")).to_have_attribute("aria-current", "true")


def test_the_keyboard_is_enough(page: Page, report: Path) -> None:
    page.goto((report / "aws-retried.html").as_uri())
    node(page, "WriteToDynamoDb").focus()
    page.keyboard.press("Enter")

    expect(page.locator(".about:visible h2")).to_contain_text("WriteToDynamoDb")
    page.reload()  # the address names the state, so it can be sent to somebody
    expect(page.locator(".about:visible h2")).to_contain_text("WriteToDynamoDb")


def test_attempts_and_the_wait_between_them_are_on_the_timeline(page: Page, report: Path) -> None:
    page.goto((report / "local-timed-out.html").as_uri())
    row = page.locator(".time li", has_text="ResizeImage")

    expect(row.locator(".bar.warn")).to_have_count(3)
    expect(row.locator(".bar.wait")).to_have_count(2)
    expect(row.locator(".bar.warn").first).to_have_attribute("title", re.compile("timed out"))


def test_both_images_load(page: Page, report: Path) -> None:
    page.goto((report / "aws-succeeded.html").as_uri())
    images = page.locator("figure img")

    expect(images).to_have_count(2)
    assert images.evaluate_all(
        "all => all.every(image => image.complete && image.naturalWidth > 0)"
    )
    expect(page.locator("figcaption").nth(1)).to_contain_text(
        re.compile(r"PNG, 900 . 600, .*image/png")
    )


def test_a_damaged_original_is_marked(page: Page, report: Path) -> None:
    page.goto((report / "aws-damaged.html").as_uri())
    original, png = page.locator("figure").all()

    expect(original.locator(".pill")).to_have_text("✕ damaged", use_inner_text=True)
    expect(original.locator("img")).to_have_attribute("alt", re.compile("damaged$"))
    expect(original).to_contain_text("this is what can be read of it")
    expect(png.locator(".pill")).to_have_count(0)


def test_what_a_state_added_comes_first_and_the_rest_is_folded(page: Page, report: Path) -> None:
    page.goto((report / "aws-succeeded.html").as_uri())
    node(page, "GetFileType").click()
    shown = page.locator(".about:visible")

    expect(shown.get_by_label("What GetFileType 1 added")).to_be_visible()
    expect(shown.get_by_label("What GetFileType 1 added")).not_to_contain_text("bucket")
    expect(shown.get_by_label("Output of GetFileType 1")).to_be_hidden()
    shown.get_by_text("Whole output").click()
    expect(shown.get_by_label("Output of GetFileType 1")).to_be_visible()


@pytest.mark.parametrize("name", ["aws-succeeded", "index"])
def test_where_and_when_it_ran_is_at_the_top(page: Page, report: Path, name: str) -> None:
    page.goto((report / f"{name}.html").as_uri())
    top = page.locator(".top")
    expect(top).to_contain_text(re.compile("Region.*us-east-1.*Account.*123456789012", re.DOTALL))
    expect(top).to_contain_text("UTC")


def test_without_scripts_every_state_is_there(browser: Browser, report: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((report / "aws-succeeded.html").as_uri())

    expect(page.locator(".about:visible")).to_have_count(10)
    context.close()


def test_in_print_every_state_is_there(page: Page, report: Path) -> None:
    page.goto((report / "aws-succeeded.html").as_uri())
    page.emulate_media(media="print")

    expect(page.locator(".about:visible")).to_have_count(10)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["aws-damaged", "local-timed-out", "index"])
def test_no_page_is_wider_than_its_window(page: Page, report: Path, name: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto((report / f"{name}.html").as_uri())

    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "name",
    ["aws-succeeded", "aws-retried", "aws-damaged", "local-stopped", "express-bare", "index"],
)
def test_axe_finds_nothing(browser: Browser, report: Path, name: str, scheme: str) -> None:
    context = browser.new_context(color_scheme="dark" if scheme == "dark" else "light")
    page = context.new_page()
    page.goto((report / f"{name}.html").as_uri())

    violations = Axe().run(page)

    assert violations.violations_count == 0, violations.generate_report()
    context.close()


def test_the_list_is_filtered_searched_and_sorted(page: Page, report: Path) -> None:
    page.goto((report / "index.html").as_uri())
    rows = page.locator(".runs tbody tr:visible")
    everything = rows.count()

    page.get_by_label("failed").check(force=True)
    failed = page.locator('tr[data-kind="failed"]').count()
    assert 0 < failed < everything
    expect(page.get_by_role("status")).to_have_text(f"{failed} of {everything} executions")
    expect(rows.first).to_contain_text("failed")

    page.get_by_label(re.compile("^all")).check(force=True)
    page.get_by_label("Image or error").fill("damagedimage")
    expect(rows).to_have_count(2)

    page.get_by_label("Image or error").fill("")
    page.get_by_role("button", name="Took").click()
    seconds = rows.evaluate_all("all => all.map(row => Number(row.dataset.seconds))")
    assert seconds == sorted(seconds, reverse=True)

    rows.first.get_by_role("link").click()
    expect(page.get_by_role("heading", name="State machine")).to_be_visible()
    page.get_by_role("link", name="← All executions").click()
    expect(page.get_by_role("status")).to_contain_text(f"{everything} executions")


def test_what_uploaders_choose_is_never_markup(page: Page, tmp_path: Path) -> None:
    run = run_of("aws", "damaged")
    evil = "<img src=x onerror=alert(1)></script><script>alert(2)</script>\"'.jpg"
    run.execution.input = run.execution.input.replace("holiday/half.jpg", evil.replace('"', '\\"'))
    run.execution.cause = evil
    target = tmp_path / "evil.html"
    target.write_text(pages.execution_page(run), encoding="utf-8")
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))

    page.goto(target.as_uri())

    expect(page.get_by_role("heading", level=1)).to_have_text(evil)
