"""The examples of terraform/examples: applied as modules, used, planned again, and destroyed."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from scripts.lib import terraform_cli, wait
from scripts.lib.aws import Clients
from scripts.lib.inventory import inventory
from scripts.lib.paths import TERRAFORM
from scripts.lib.terraform_stack import Stack
from scripts.local_aws import LocalAws
from tests.conftest import PACKAGE, Deployment, enforcing
from tests.support import door, images, other_pages, terraform_changes
from tests.support.examples import Example
from tests.support.listener import Listener
from tests.support.provider import Provider
from tests.support.scan import scan

pytestmark = [pytest.mark.e2e, pytest.mark.terraform]

REGIONS = {"frankfurt": "eu-central-1", "virginia": "us-east-1"}
NAMES = ("complete", "two-regions")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of a web server with an empty page."""
    with other_pages.evil_origin() as origin:
        yield int(origin.rpartition(":")[2])


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """A local AWS for the examples alone, which enforces IAM policies."""
    with enforcing(tmp_path_factory.mktemp("examples-aws")) as aws:
        yield aws


@pytest.fixture(scope="module")
def before(aws: LocalAws) -> set[str]:
    """What the local AWS holds before anything is applied."""
    return _everything(aws)


@pytest.fixture(scope="module")
def applied(
    aws: LocalAws,
    before: set[str],
    port: int,
    provider: Provider,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, Example]]:
    """The examples, applied at the same time: Terraform mostly waits.

    The providers of `two-regions` are Terraform's to start: there are two.
    """
    assert isinstance(before, set)
    variables: dict[str, dict[str, Any]] = {
        "complete": {
            "trusted_account_ids": ["123456789012"],
            "upload_cors_origins": [f"http://localhost:{port}"],
        },
        "two-regions": {},
    }
    with provider.running(aws.env) as running:
        examples = {
            name: Example.copied(
                name, tmp_path_factory.mktemp(name), running, force_destroy=True, **variables[name]
            )
            for name in NAMES
        }
        unchecked = terraform_cli.environment(provider.unchecked(aws.env))
        examples["two-regions"] = replace(examples["two-regions"], env=unchecked)
        with ThreadPoolExecutor() as threads:
            list(threads.map(Example.apply, examples.values()))
        yield examples


@pytest.fixture(scope="module")
def complete(aws: LocalAws, applied: dict[str, Example]) -> Deployment:
    """The stack of the example `complete`."""
    example = applied["complete"]
    stack = Stack(example.directory, aws.env, package=PACKAGE)
    return Deployment(
        aws, stack, Clients(aws.env), example.outputs()["image_converter"], before=set()
    )


def _clients(aws: LocalAws, region: str) -> Clients:
    return Clients({**aws.env, "AWS_REGION": region, "AWS_DEFAULT_REGION": region})


def _everything(aws: LocalAws) -> set[str]:
    return {
        f"{region} {resource}"
        for region in REGIONS.values()
        for resource in inventory(_clients(aws, region))
    }


def _wait_for(clients: Clients, bucket: str, key: str) -> bytes:
    def find() -> bytes | None:
        listed = clients.s3.list_objects_v2(Bucket=bucket, Prefix=key).get("Contents", [])
        if not listed:
            return None
        return clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    return wait.until(f"{key} in {bucket}", find)


@pytest.mark.parametrize("place", REGIONS)
def test_stack_in_each_region_converts(
    aws: LocalAws, applied: dict[str, Example], place: str
) -> None:
    clients = _clients(aws, REGIONS[place])
    outputs = applied["two-regions"].outputs()
    content = images.jpeg(60, 40, seed=3)

    source = outputs["source_buckets"][place]["news"]
    clients.s3.put_object(Bucket=source, Key="photo.jpg", Body=content)
    png = _wait_for(clients, outputs["destination_buckets"][place]["news"], "photo.png")

    assert source.endswith(REGIONS[place])
    assert images.pixels(png) == images.pixels(content)


def test_stack_with_an_organisations_own_converts_and_keeps(complete: Deployment) -> None:
    content = images.jpeg(60, 40, seed=4)
    source = complete.outputs["source_bucket"]

    complete.clients.s3.put_object(Bucket=source, Key="photo.jpg", Body=content)
    png = _wait_for(complete.clients, complete.outputs["destination_bucket"], "photo.png")

    assert images.pixels(png) == images.pixels(content)
    assert complete.clients.s3.get_object(Bucket=source, Key="photo.jpg")["Body"].read() == content


def test_the_queue_receives_an_event_of_each_image(
    complete: Deployment, applied: dict[str, Example]
) -> None:
    listener = Listener(complete.clients, applied["complete"].outputs()["events_queue_url"])
    whole, damaged = images.jpeg(60, 40, seed=6), images.jpeg(60, 40)[:-200]
    for key, content in {"done.jpg": whole, "half.jpg": damaged}.items():
        complete.clients.s3.put_object(
            Bucket=complete.outputs["source_bucket"], Key=key, Body=content
        )

    converted = listener.event("Image Converted", "done.jpg")
    failed = listener.event("Image Not Converted", "half.jpg")

    assert converted["outputs"][0]["bucket"] == complete.outputs["destination_bucket"]
    assert failed["error"]["name"] == "DamagedImage"


def test_everything_of_the_organisations_own_is_used(complete: Deployment) -> None:
    outputs, clients = complete.outputs, complete.clients
    iam = clients.client("iam")
    for arn in outputs["role_arns"].values():
        assert ":role/pictures/" in arn
        role = iam.get_role(RoleName=arn.rpartition("/")[2])["Role"]
        assert role["PermissionsBoundary"]["PermissionsBoundaryArn"].endswith("/pictures-boundary")
    alarms = clients.client("cloudwatch").describe_alarms()["MetricAlarms"]
    ours = [alarm for alarm in alarms if alarm["AlarmName"].startswith("pictures-")]
    assert {action for alarm in ours for action in alarm["AlarmActions"]} == {
        outputs["alarm_topic_arn"]
    }
    assert outputs["alarm_topic_arn"].endswith(":pictures-on-call")
    logging = clients.s3.get_bucket_logging(Bucket=outputs["source_bucket"])
    assert logging["LoggingEnabled"]["TargetBucket"] == outputs["access_logs_bucket"]
    key = clients.kms.get_key_policy(KeyId=outputs["kms_key_arn"], PolicyName="default")
    sids = {statement["Sid"] for statement in json.loads(key["Policy"])["Statement"]}
    assert sids >= {statement["Sid"] for statement in outputs["kms_key_statements"]}
    tags = clients.client("kms").list_resource_tags(KeyId=outputs["kms_key_arn"]).get("Tags", [])
    assert tags == []  # the organisation's key is not the stack's


@pytest.fixture(scope="module")
def plans(applied: dict[str, Example]) -> dict[str, dict[str, Any]]:
    """What each example is planned to become, when it has been applied."""
    return {name: example.plan() for name, example in applied.items()}


@pytest.mark.parametrize("name", NAMES)
def test_second_plan_is_empty(plans: dict[str, dict[str, Any]], name: str) -> None:
    assert terraform_changes.changes(plans[name]) == []


def test_checkov_finds_nothing(plans: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    """In both plans at once: to start it takes as long as a scan."""
    for name, plan in plans.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(plan), encoding="utf-8")
    files = [part for file in sorted(tmp_path.iterdir()) for part in ("-f", file)]
    report = scan("terraform_plan", *files, "--repo-root-for-plan-enrichment", TERRAFORM)
    assert report.failed == []
    assert report.passed >= 600


# As docs/module.md has it, with a signature instead of a token.
_UPLOAD = """async ([api, name, headers, bytes]) => {
    try {
        const answer = await fetch(`${api}?name=${name}`, { method: "POST", headers });
        const { url, fields } = await answer.json();
        const form = new FormData();
        for (const [name, value] of Object.entries(fields)) form.append(name, value);
        form.append("file", new Blob([new Uint8Array(bytes)]));
        const stored = await fetch(url, { method: "POST", body: form });
        return [stored.status, stored.headers.get("etag")];
    } catch (error) {
        return ["refused", String(error)];
    }
}"""


@pytest.mark.parametrize(
    ("host", "admitted"), [("localhost", True), ("127.0.0.1", False)], ids=["listed", "another"]
)
def test_page_of_a_listed_origin_uploads_by_the_form(
    complete: Deployment, browser: Browser, port: int, host: str, admitted: bool
) -> None:
    content = images.jpeg(60, 40, seed=5)
    name = f"page-{host}.jpg"
    headers = door.signed(complete, b"", f"name={name}", path="/upload-url")
    page = browser.new_page()
    page.goto(f"http://{host}:{port}")

    sent = [
        complete.outputs["upload_form_url"],
        name,
        {key: value for key, value in headers.items() if key.lower() != "host"},
        list(content),
    ]
    status, answered = page.evaluate(_UPLOAD, sent)
    page.close()

    if not admitted:
        assert status == "refused", answered
        return
    assert status in (200, 204), answered
    assert answered  # S3 exposes the ETag to the page
    png = _wait_for(complete.clients, complete.outputs["destination_bucket"], f"page-{host}.png")
    assert images.pixels(png) == images.pixels(content)


def test_destroy_leaves_nothing(
    aws: LocalAws, before: set[str], applied: dict[str, Example]
) -> None:
    with ThreadPoolExecutor() as threads:
        list(threads.map(Example.destroy, applied.values()))

    assert _everything(aws) - before == set()
