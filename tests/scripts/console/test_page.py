"""The live page in a browser, with the deployed pipeline behind it."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest
from axe_playwright_python.sync_playwright import Axe
from botocore.config import Config
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, Route, expect

from scripts.console.server import Console
from scripts.lib import deployed
from scripts.local_aws import LocalAws
from tests.conftest import Deployment
from tests.scripts.console.conftest import Serve, Small, small_stack
from tests.support import images, other_pages, workflow
from tests.support.other_pages import Scheme

pytestmark = pytest.mark.e2e

DENIED = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "*"},
}


@pytest.fixture
def console(deployment: Deployment, serve: Serve) -> Iterator[Console]:
    stack = deployed.find(deployment.clients, deployed.DEFAULT_NAME)
    with serve(deployment.clients, stack) as console:
        yield console


@contextmanager
def opened(
    browser: Browser, address: str, width: int = 1280, scheme: Scheme = "light"
) -> Iterator[Page]:
    """Yield a window with the page, in which nothing may go wrong."""
    with other_pages.flawless(browser, width, scheme) as (page, _):
        page.goto(address)
        yield page


def row(page: Page, key: str) -> Locator:
    return page.locator("#items > li", has=page.locator(".key", has_text=key))


def state(image: Locator, name: str) -> Locator:
    return image.locator(f'[data-state="{name}"]')


def drop(page: Page, *files: Path) -> None:
    """Drop files on the page, as a mouse does."""
    page.set_input_files("#files", [])  # there is a way without a mouse, which is tried elsewhere
    contents = [[file.name, list(file.read_bytes())] for file in files]
    page.evaluate(
        """(files) => {
            const dropped = new DataTransfer();
            for (const [name, bytes] of files) {
                const type = name.endsWith(".jpg") ? "image/jpeg" : "";
                dropped.items.add(new File([new Uint8Array(bytes)], name, { type }));
            }
            const how = { dataTransfer: dropped, bubbles: true, cancelable: true };
            document.body.dispatchEvent(new DragEvent("dragover", how));
            document.body.dispatchEvent(new DragEvent("drop", how));
        }""",
        contents,
    )


def size(image: Locator, role: str) -> list[int]:
    """Return the pixels of a picture once it is loaded."""
    size: list[int] = image.get_by_role("img", name=f"{role} of").evaluate(
        "async (img) => { await img.decode(); return [img.naturalWidth, img.naturalHeight]; }"
    )
    return size


def unfold(page: Page, count: int) -> None:
    """Open the first rows; a mouse may miss one while those above it grow."""
    page.evaluate(
        """(count) => [...document.querySelectorAll("#items details")]
            .slice(0, count)
            .forEach((details) => { details.open = true; })""",
        count,
    )


def top(place: Locator) -> float:
    box = place.bounding_box()
    assert box is not None
    return box["y"]


def test_three_photographs_are_dropped_and_followed(
    console: Console, browser: Browser, tmp_path: Path
) -> None:
    whole = images.jpeg(120, 80)
    turned = Image.Exif()
    turned[0x0112] = 6  # the orientation of a camera that was held upright
    files = {
        "console-turned.jpg": images.jpeg(120, 80, exif=turned),
        "console-half.jpg": whole[: len(whole) // 2],
        "console-notes.jpg.txt": b"not a photograph\n",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)

    with opened(browser, console.address) as page:
        expect(page.locator("#shown")).not_to_have_text("Asking AWS…")
        held: list[Route] = []
        page.route("**/images?*", lambda upload: held.append(upload))  # noqa: PLW0108 - playwright marks it
        drop(page, *(tmp_path / name for name in files))
        for name in files:
            expect(row(page, name).locator(".pill")).to_have_text("uploading")
            expect(row(page, name).locator(".graph .node")).to_have_count(10)
        for upload in held:
            upload.continue_()

        upright, half, notes = (row(page, name) for name in files)
        expect(upright.locator(".pill")).to_have_text("✓converted")
        expect(half.locator("summary .pill")).to_have_text("✕failed")
        expect(half.locator("figure.damaged .pill")).to_have_text("✕damaged")
        expect(notes.locator(".pill")).to_have_text("⊘not a JPEG")

        expect(state(upright, "DeleteSourceFile")).to_have_class(re.compile("good"))
        expect(state(half, "QuitResize")).to_have_class(re.compile("bad"))
        expect(state(notes, "ProcessFile")).to_have_class(re.compile("none"))
        assert size(upright, "Original") == size(upright, "PNG") == [80, 120]
        assert top(upright.locator("figure").first) == top(upright.locator("figure").last)
        expect(half.locator(".error")).to_contain_text("DamagedImage: The JPEG is cut off")
        expect(half).to_contain_text("Upload the image again")
        expect(page.locator("#count-running")).to_have_text("0")
        expect(page.get_by_role("status")).to_contain_text("console-")

        page.get_by_role("radio", name="failed").check(force=True)
        expect(half).to_be_visible()
        expect(upright).to_be_hidden()
        page.get_by_role("radio", name="all").check(force=True)
        page.get_by_label("Image or error").fill("console-turned")
        expect(page.locator("#items > li:visible")).to_have_count(1)

        upright.get_by_role("link", name="Full report").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("console-turned.jpg")
        page.get_by_role("link", name="← All executions").click()
        expect(row(page, "console-turned.jpg")).to_be_visible()


def test_a_failure_is_retried_once_its_cause_is_fixed(
    console: Console, deployment: Deployment, browser: Browser, tmp_path: Path
) -> None:
    """The function that converts may not write for a while: its state is orange, then red."""
    roles = deployment.clients.iam.list_roles()["Roles"]
    [role] = [listed["RoleName"] for listed in roles if "-resize-image-" in listed["RoleName"]]
    iam = deployment.clients.iam
    iam.put_role_policy(RoleName=role, PolicyName="broken", PolicyDocument=json.dumps(DENIED))
    photo = tmp_path / "console-retried.jpg"
    photo.write_bytes(images.jpeg(90, 60))
    try:
        with opened(browser, console.address, width=360) as page:
            page.set_input_files("#files", photo)  # as by the keyboard
            image = row(page, photo.name)
            retrying = image.locator('[data-state="ResizeImage"].warn[aria-label*="retrying"]')
            expect(retrying).to_be_visible()
            expect(image.locator(".pill")).to_have_text("✕failed")
            expect(state(image, "QuitResize")).to_have_class(re.compile("bad"))
            expect(image.locator(".error")).to_contain_text("AccessDenied")

            iam.delete_role_policy(RoleName=role, PolicyName="broken")
            image.get_by_role("button", name=f"Retry {photo.name}").click()

            expect(image.locator(".pill")).to_have_text("✓converted")
            expect(row(page, photo.name)).to_have_count(1)
            assert size(image, "PNG") == [90, 60]
            assert page.evaluate("document.documentElement.scrollWidth") <= 360
    finally:
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            if name == "broken":
                iam.delete_role_policy(RoleName=role, PolicyName=name)


def test_news_of_an_upload_that_come_before_its_answer_add_no_second_row(
    own: Console, small: Small, browser: Browser, tmp_path: Path
) -> None:
    photo = tmp_path / "early.jpg"
    photo.write_bytes(images.jpeg())
    with opened(browser, own.address) as page:
        held: list[Route] = []
        page.route("**/images?*", lambda upload: held.append(upload))  # noqa: PLW0108 - playwright marks it
        page.set_input_files("#files", photo)
        expect(row(page, photo.name).locator(".pill")).to_have_text("uploading")
        answer = held[0].fetch()  # now the server knows of it, and the page has no answer
        small.start("later", "succeed")
        expect(row(page, "later.jpg")).to_be_visible()  # so the page has the news
        expect(row(page, photo.name).locator(".pill")).to_have_text("uploading")
        expect(page.locator("#shown")).to_contain_text("2 of 2")

        held[0].fulfill(response=answer)
        expect(row(page, photo.name).locator(".pill")).to_contain_text("waiting")
        expect(page.locator("#shown")).to_contain_text("2 of 2")


@pytest.fixture
def some(small: Small, serve: Serve) -> Iterator[Console]:
    """The page with one image of each kind."""
    for name in ("run", "fail", "succeed"):
        small.start(name, name)
    small.settle("FAILED", 1)
    small.settle("SUCCEEDED", 1)
    with serve(small.clients, small.deployment) as console:
        yield console


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(some: Console, browser: Browser, scheme: Scheme) -> None:
    with opened(browser, some.address, scheme=scheme) as page:
        expect(page.locator("#items > li")).to_have_count(3)
        unfold(page, 3)
        expect(page.locator(".graph")).to_have_count(3)
        expect(page.locator("figure")).to_have_count(2)
        violations = Axe().run(page)
        assert violations.violations_count == 0, violations.generate_report()


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_is_not_wider_than_its_window(some: Console, browser: Browser, width: int) -> None:
    with opened(browser, some.address, width) as page:
        expect(page.locator("#items > li")).to_have_count(3)
        unfold(page, 3)
        expect(page.locator("figure")).to_have_count(2)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("workflow_type", workflow.TYPES)
def test_the_keyboard_is_enough(some: Console, browser: Browser) -> None:
    with opened(browser, some.address) as page:
        expect(page.locator("#items > li")).to_have_count(3)
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the images")).to_be_focused()
        page.keyboard.press("Tab")
        expect(page.locator("#files")).to_be_focused()
        failed = row(page, "fail.jpg")
        failed.locator("summary").focus()
        page.keyboard.press("Enter")
        button = failed.get_by_role("button", name="Retry fail.jpg")
        button.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text("started")
        expect(failed.locator("details")).to_have_attribute("open", "")


def test_what_is_not_logged_is_said_once(
    unguarded_aws: LocalAws, serve: Serve, browser: Browser
) -> None:
    small = small_stack(unguarded_aws, "EXPRESS", level="ERROR")
    small.start("good", "succeed")
    small.start("bad", "fail")
    small.settle("FAILED", 1)
    with (
        serve(small.clients, small.deployment) as console,
        opened(browser, console.address) as page,
    ):
        expect(page.locator(".error.warn")).to_have_text(
            'Only failures of executions are logged; state_machine_log_level = "ALL" logs every '
            "execution, state by state."
        )
        expect(page.locator("#items > li")).to_have_count(1)
        expect(row(page, "bad")).to_contain_text("SlowDown: S3 is busy")


def test_an_aws_that_cannot_be_asked_is_reported_and_the_page_recovers(
    small: Small, serve: Serve, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripts.console.server._TROUBLED_SECONDS", 0.1)
    dead = boto3.client(
        "stepfunctions",
        endpoint_url="http://127.0.0.1:9",
        region_name="us-east-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",  # noqa: S106 - nobody asks for it
        config=Config(retries={"total_max_attempts": 1}),
    )
    with (
        serve(small.clients, small.deployment) as console,
        opened(browser, console.address) as page,
    ):
        expect(page.locator("#shown")).to_have_text("There are no executions yet.")
        healthy, console.live.clients.stepfunctions = console.live.clients.stepfunctions, dead
        expect(page.get_by_role("alert")).to_contain_text("127.0.0.1:9")
        console.live.clients.stepfunctions = healthy
        small.start("a", "succeed")
        expect(page.locator("#items > li")).to_have_count(1)
        expect(page.get_by_role("alert")).to_be_hidden()


def test_a_server_that_has_ended_is_reported(small: Small, serve: Serve, browser: Browser) -> None:
    context = browser.new_context()
    with serve(small.clients, small.deployment) as console:
        page = context.new_page()
        page.goto(console.address)
        expect(page.locator("#shown")).to_have_text("There are no executions yet.")
    expect(page.get_by_role("alert")).to_contain_text("does not answer")
    context.close()


def test_of_200_executions_only_those_that_change_are_drawn_again(
    small: Small, serve: Serve, browser: Browser
) -> None:
    for number in range(200):
        small.start(f"image-{number}", "fail" if number % 10 == 0 else "succeed")
    small.settle("SUCCEEDED", 180)
    with (
        serve(small.clients, small.deployment) as console,
        opened(browser, console.address) as page,
    ):
        expect(page.locator("#items > li")).to_have_count(200)
        expect(page.locator("#count-failed")).to_have_text("20")
        took = page.locator(".when", has_text=", ")  # their histories have been read
        expect(took).to_have_count(200)
        unfold(page, 40)
        expect(page.locator(".graph")).to_have_count(40)
        page.evaluate(
            """() => {
                window.drawn = [];
                const note = ({ target }) => {
                    if (target.matches(".pictures")) return; // which come last, once
                    drawn.push(target.closest("li")?.textContent ?? "list");
                };
                const list = document.getElementById("items");
                const observer = new MutationObserver((changes) => changes.forEach(note));
                observer.observe(list, { childList: true, subtree: true });
            }"""
        )
        small.start("another", "run")
        expect(page.locator("#count-running")).to_have_text("1")
        page.get_by_label("Image or error").fill("image-19")
        expect(page.locator("#items > li:visible")).to_have_count(11)
        drawn = page.evaluate("drawn")
        assert drawn
        assert [text for text in drawn if text != "list" and "another.jpg" not in text] == []
