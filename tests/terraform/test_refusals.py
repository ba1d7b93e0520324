"""A wrong value fails in the plan, with a sentence that says what is wrong and what is right."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import hcl2
import pytest

from scripts.lib.paths import REPOSITORY
from tests.terraform.conftest import Terraform

pytestmark = pytest.mark.terraform

VARIABLES = REPOSITORY / "terraform" / "variables.tf"
PACKAGE = REPOSITORY / "terraform" / "tests" / "package"

PACKAGE_S3 = {"bucket": "zips", "functions_key": "1/functions.zip", "layer_key": "1/layer.zip"}

KEY = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:alarms"

THUMB = {"name": "thumb", "format": "webp", "max_width": 320, "max_height": 320}

# A variable, a value, and what the sentence must say.
REFUSED: list[tuple[str, Any, str]] = [
    ("name", "Image-Converter", "name is 'Image-Converter', but must consist of lower-case"),
    ("name", "image--converter", "single hyphens"),
    ("name", "9lives", "begin with a letter"),
    ("name", "", "name is ''"),
    ("name", "a23456789-123456789-1234", "at most 23 characters"),
    ("name", "sthree-images", "S3 reserves names that begin with sthree-"),
    ("tags", {"Project": "another"}, "which the configuration sets itself"),
    ("bucket_names", {"sources": "my-bucket"}, "the buckets are source, destination"),
    ("bucket_names", {"source": "My_Bucket"}, "3 to 63 lower-case letters"),
    ("bucket_names", {"source": "xn--bucket"}, "reserves"),
    ("bucket_names", {"source": "a-bucket", "destination": "a-bucket"}, "its own destination"),
    ("key_deletion_window_days", 3, "KMS allows 7 to 30"),
    ("noncurrent_version_expiration_days", 0, "at least 1"),
    ("package_s3", {"bucket": "zips"}, "needs bucket, functions_key and layer_key"),
    ("existing_source_bucket", "My_Photos", "must be the name of a bucket"),
    ("existing_source_bucket", "my-photos", "existing_source_bucket needs source_after"),
    ("existing_source_bucket_kms_key_arn", KEY, "which is not set"),
    ("existing_destination_bucket", {"bucket": "my-images"}, "are name, prefix and kms_key_arn"),
    ("existing_destination_bucket", {"name": "My_Images"}, "must be the name of a bucket"),
    ("existing_destination_bucket", {"name": "my-images", "prefix": "png"}, "end with a slash"),
    (
        "existing_destination_bucket",
        {"name": "my-images", "kms_key_arn": "alias/images"},
        "must be the ARN of a key, not of an alias",
    ),
    ("events", {"buses": "default"}, "its only setting is bus"),
    ("backfill", {"enable": True}, "its settings are enabled, max_concurrency"),
    ("backfill", {"enabled": "perhaps"}, "must be true or false"),
    ("backfill", {"enabled": True, "max_concurrency": 10001}, "whole number of 1 to 10,000"),
    ("backfill", {"enabled": True, "tolerated_failure_percentage": 101}, "must be 0 to 100"),
    ("backfill", {"enabled": True, "timeout_seconds": 1.5}, "1 to 31,536,000"),
    ("backfill_manifests", [{"buckets": "lists"}], "are bucket, prefix and kms_key_arn"),
    ("backfill_manifests", [{"prefix": "lists/"}], "without the name of a bucket"),
    ("backfill_manifests", [{"bucket": "lists", "prefix": "*"}], "there are no wildcards"),
    (
        "backfill_manifests",
        [{"bucket": "lists", "kms_key_arn": "alias/lists"}],
        "is not the ARN of a key",
    ),
    ("backfill_manifests", [{"bucket": "lists"}], "backfill.enabled is not true"),
    ("events", {"bus": "mine"}, "must be default or the ARN of an EventBridge bus"),
    ("role_path", "teams/", "must begin and end with a slash"),
    ("permissions_boundary_arn", "boundary", "must be the ARN of an IAM policy"),
    ("kms_key_arn", "alias/images", "an alias does not work"),
    ("create_kms_key", False, "kms_key_arn must name the key to use"),
    ("access_logs_bucket", "My_Logs", "must be the name of a bucket"),
    ("trusted_account_ids", ["12345678901"], "an account ID has twelve digits"),
    ("upload_cors_origins", ["https://example.com/"], "without a slash at the end"),
    ("upload_cors_origins", ["*"], "an origin is https:// with a host name"),
    ("upload_cors_origins", ["http://example.com"], "http:// only for localhost"),
    ("alarm_topic_arn", "alarms", "must be the ARN of an SNS topic"),
    ("create_alarm_topic", False, "alarm_topic_arn must name the topic to use"),
    ("runtime", "nodejs22.x", "must be a Python runtime of Lambda"),
    ("architecture", "amd64", "must be arm64 or x86_64"),
    ("functions", {"copy": {"memory_mb": 512}}, "the functions are upload, trigger"),
    ("functions", {"resize_image": {"memory": 3008}}, "functions has memory, but the settings"),
    ("functions", {"copy_file": {"memory_mb": 64}}, "128 to 10,240"),
    ("functions", {"copy_file": {"memory_mb": "much"}}, "128 to 10,240"),
    ("functions", {"upload": {"snap_start": "yes"}}, "neither true nor false"),
    ("functions", {"resize_image": {"memory_mb": 256}}, "at least 512"),
    ("functions", {"copy_file": {"timeout_seconds": 1000}}, "1 to 900"),
    ("functions", {"upload": {"timeout_seconds": 60}}, "29 at most"),
    ("functions", {"trigger": {"reserved_concurrency": -1}}, "leave it out"),
    ("png_compression", "best", "must be fast or smallest"),
    ("renditions", [], "1 to 10"),
    ("renditions", [{**THUMB, "width": 320}], "a rendition's fields are name, format"),
    ("renditions", [{"format": "png"}], "an entry without a name"),
    ("renditions", [THUMB, {**THUMB, "format": "png"}], "several entries with one name"),
    ("renditions", [{**THUMB, "format": "gif"}], "must be png, jpeg, webp or avif"),
    ("renditions", [{**THUMB, "max_width": 0}], "1 to 65,500"),
    ("renditions", [{**THUMB, "max_height": "tall"}], "1 to 65,500"),
    ("renditions", [{**THUMB, "fit": "fill"}], "neither inside nor cover"),
    ("renditions", [{**THUMB, "fit": "cover", "max_height": None}], "without max_width and"),
    ("renditions", [{**THUMB, "quality": 101}], "1 to 100"),
    ("renditions", [{"name": "a", "format": "png", "quality": 80}], "a png with one"),
    ("renditions", [{**THUMB, "metadata": "all"}], "neither none nor copyright"),
    ("renditions", [{**THUMB, "key": "{stem}.{ext}"}], "must contain {dir} and {stem}"),
    ("renditions", [{**THUMB, "key": "{dir}{stem}{width}.{ext}"}], "no other braces"),
    (
        "renditions",
        [THUMB, {"name": "b", "format": "webp", "key": "{dir}{stem}.{ext}"}],
        "keys that collide, with each other",
    ),
    (
        "renditions",
        [{"name": "a", "format": "jpeg", "key": "{dir}{stem}.{ext}"}],
        "one image would overwrite another: a has {dir}{stem}.{ext}.",
    ),
    ("renditions", [{**THUMB, "cache_control": "x" * 2500}], "2,500 at most"),
    ("workflow_type", "FAST", "must be STANDARD or EXPRESS"),
    ("execution_timeout_seconds", 0, "1 to 31,536,000"),
    ("retry", {"interval": 1}, "its settings are any_error_interval_seconds, backoff_rate"),
    ("retry", {"interval_seconds": 0}, "at least 1"),
    ("retry", {"max_attempts": 1.5}, "whole number"),
    ("retry", {"backoff_rate": 0.5}, "below 1"),
    ("retry", {"transient_max_delay_seconds": 1}, "more than transient_interval_seconds"),
    ("trigger_maximum_concurrency", 1, "2 to 1,000"),
    ("max_receive_count", 0, "1 to 1,000"),
    ("source_filter", {"prefix": ["in/"]}, "its settings are prefixes and suffixes"),
    ("source_filter", {"prefixes": ["year=2026/"]}, "= as %3D"),
    ("source_filter", {"suffixes": ["*.jpg"]}, "There are no wildcards."),
    ("source_filter", {"prefixes": [""]}, "S3 allows 1 to 1,024 letters"),
    (
        "source_filter",
        {"prefixes": ["in/", "in/new/"]},
        "'in/', 'in/new/', but S3 refuses a prefix",
    ),
    ("source_filter", {"prefixes": ["in/", "in/"]}, "leave out the longer of the two"),
    ("source_filter", {"suffixes": [".jpeg", "jpeg"]}, "'.jpeg', 'jpeg', but S3 refuses a suffix"),
    (
        "source_filter",
        {"prefixes": [f"{n:02}/" for n in range(11)], "suffixes": [f".{n:02}" for n in range(10)]},
        "11 prefixes and 10 suffixes, but S3 allows at most 100 pairs",
    ),
    ("source_after", "hide", "source_after is 'hide', but must be delete or keep"),
    ("other_types", "move", "other_types is 'move', but must be delete or keep"),
    ("max_upload_bytes", 10_000_000, "4,700,000"),
    ("upload_form", {"max_mb": 1}, "its settings are expires_seconds, max_bytes"),
    ("upload_form", {"max_bytes": 0}, "1 to 5,368,709,120"),
    ("upload_form", {"expires_seconds": 604800}, "1 to 3,600"),
    (
        "upload_jwt",
        {"issuer": "https://example.com", "audience": ["a"], "scope": ["b"]},
        "its settings are issuer, audience and, optionally, scopes",
    ),
    ("upload_jwt", "https://example.com", "upload_jwt has no settings"),
    ("upload_jwt", {"issuer": "https://example.com"}, "at least one audience"),
    ("upload_jwt", {"issuer": "http://example.com", "audience": ["a"]}, "https:// address"),
    ("upload_jwt", {"issuer": "https://example.com", "audience": []}, "at least one audience"),
    ("upload_throttle", {"rate": 5}, "its settings are burst, requests_per_second"),
    ("upload_throttle", {"burst": 0}, "let nothing through"),
    ("log_level", "TRACE", "DEBUG, INFO, WARNING or ERROR"),
    ("log_format", "text", "Text or JSON"),
    ("system_log_level", "ERROR", "DEBUG, INFO or WARN"),
    ("system_log_level", "WARN", "JSON"),
    ("log_retention_days", 42, "CloudWatch allows 1, 3, 5"),
    ("state_machine_log_class", "DELIVERY", "STANDARD or INFREQUENT_ACCESS"),
    ("state_machine_log_level", "DEBUG", "ALL, ERROR, FATAL or OFF"),
    ("alarm_email", "someone", "not an e-mail address"),
    ("alarm_thresholds", {"errors": 1}, "its settings are queue_age_seconds, upload_errors"),
    ("alarm_thresholds", {"upload_errors": 0}, "below 1"),
    ("monthly_budget_usd", 0, "more than 0"),
]
REFUSED_TOGETHER: list[tuple[dict[str, Any], str]] = [
    ({"workflow_type": "EXPRESS", "execution_timeout_seconds": 600}, "EXPRESS executions end"),
    (
        {
            "existing_source_bucket": "my-photos",
            "source_after": "keep",
            "bucket_names": {"source": "new-photos"},
        },
        "leave one of them out",
    ),
    (
        {
            "existing_source_bucket": "my-photos",
            "source_after": "keep",
            "existing_source_bucket_kms_key_arn": "alias/photos",
        },
        "must be the ARN of a key, not of an alias",
    ),
    (
        {
            "existing_destination_bucket": {"name": "my-images"},
            "bucket_names": {"destination": "new-images"},
        },
        "leave one of them out",
    ),
    (
        {"events": {"bus": "default"}, "state_machine_log_level": "OFF"},
        "events needs the state machine's log",
    ),
    (
        {"events": {"bus": "default"}, "state_machine_log_class": "INFREQUENT_ACCESS"},
        "events needs a log group that can be subscribed to",
    ),
    (
        {"events": {"bus": "default"}, "state_machine_log_level": "FATAL"},
        "state_machine_log_level must be ERROR or ALL",
    ),
    (
        {"events": {"bus": "default"}, "state_machine_log_execution_data": False},
        "state_machine_log_execution_data true",
    ),
    (
        {
            "existing_source_bucket": "my-photos",
            "source_after": "keep",
            "source_filter": {"prefixes": ["in/*/"]},
        },
        "for an existing bucket each must have 1 to 1,024 characters other than * and",
    ),
    (
        {"create_kms_key": True, "kms_key_arn": KEY},
        "create_kms_key is true, but kms_key_arn names a key",
    ),
    (
        {"access_logs_bucket": "my-logs", "bucket_names": {"access_logs": "new-logs"}},
        "leave one of them out",
    ),
    (
        {"create_alarms": False, "alarm_topic_arn": TOPIC},
        "there is nothing to publish",
    ),
    (
        {"create_alarm_topic": True, "alarm_topic_arn": TOPIC},
        "create_alarm_topic is true, but alarm_topic_arn names a topic",
    ),
    (
        {"alarm_email": "someone@example.com", "alarm_topic_arn": TOPIC},
        "subscribe to your own topic instead",
    ),
    (
        {"monthly_budget_usd": 5, "create_alarms": False},
        "notifies the topic of the alarms",
    ),
    (
        {"package_dir": "build", "package_s3": PACKAGE_S3},
        "only one of them can hold the zips",
    ),
    (
        {"functions": {"trigger": {"reserved_concurrency": 5}}, "trigger_maximum_concurrency": 6},
        "would throttle notifications",
    ),
]
ACCEPTED: list[dict[str, Any]] = [
    {},
    {"name": "a"},
    {"name": "ic-7f3a"},
    {"bucket_names": {"source": "my-uploads", "destination": "my-images"}},
    {"runtime": "python3.13", "architecture": "x86_64"},
    {"package_s3": PACKAGE_S3},
    {"functions": {"copy_file": {}, "upload": {"reserved_concurrency": 0}}},
    {"retry": {"interval_seconds": 1, "max_attempts": 0, "backoff_rate": 1}},
    {"workflow_type": "EXPRESS", "execution_timeout_seconds": 300},
    {
        "renditions": [
            {"name": "png", "format": "png", "quality": None, "key": None},
            {**THUMB, "fit": "cover", "quality": 75, "cache_control": "max-age=60"},
            {"name": "avif", "format": "avif", "key": "{name}/{dir}{stem}.{ext}"},
            {"name": "small", "format": "jpeg", "max_width": 640, "metadata": "copyright"},
        ]
    },
    {"upload_jwt": {"issuer": "https://example.com", "audience": ["a"], "scopes": ["b"]}},
    {"alarm_email": "someone@example.com"},
    {"source_filter": {"prefixes": ["in/", "a+b%3Dc/"], "suffixes": [".jpg", ".JPG"]}},
    {"retry": {"interval_seconds": None}, "source_filter": {"prefixes": None}},
    {"role_path": "/teams/pictures/", "permissions_boundary_arn": "arn:aws:iam::aws:policy/P"},
    {"kms_key_arn": KEY, "create_kms_key": False, "access_logs_bucket": "my.logs"},
    {"alarm_topic_arn": TOPIC, "trusted_account_ids": ["123456789012"]},
    {"upload_cors_origins": ["https://example.com", "http://localhost:8000"]},
    {"create_alarms": False, "create_dashboard": False, "create_upload_api": False},
    {"monthly_budget_usd": 12.5, "tags": {"Team": "pictures"}},
]


# What is planned, with no other values.
PLANNED = [
    *({variable: value} for variable, value, _ in REFUSED),
    *(values for values, _ in REFUSED_TOGETHER),
    *ACCEPTED,
]


def copy_variables(folder: Path) -> Path:
    """Copy the variables and their defaults alone, which need no provider."""
    for name in ("variables.tf", "defaults.tf"):
        shutil.copy(VARIABLES.with_name(name), folder)
    return folder


@pytest.fixture
def variables(tmp_path: Path) -> Path:
    """The variables and their defaults alone."""
    return copy_variables(tmp_path)


def plan(terraform: Terraform, folder: Path, values: dict[str, Any]) -> tuple[int, str]:
    """Plan with the values; returns the exit status and what was said, on one line."""
    (folder / "values.tfvars.json").write_text(json.dumps(values))
    done = terraform(folder, "plan", "-no-color", "-input=false", "-var-file=values.tfvars.json")
    return done.returncode, re.sub(r"[\s│╷╵]+", " ", done.stdout + done.stderr)


@pytest.fixture(scope="module")
def planned(
    terraform: Terraform, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[str, str]]:
    """Whether each plan passes, and what Terraform says, by the values as JSON.

    One `terraform test` plans them all: to start Terraform takes longer than such a plan. Each has
    a file of its own, because what follows an error in a file is skipped.
    """
    folder = copy_variables(tmp_path_factory.mktemp("refusals"))
    (folder / "tests").mkdir()
    files = {f"tests/{number}.tftest.json": values for number, values in enumerate(PLANNED)}
    for file, values in files.items():
        run = {"command": "plan", "variables": values}
        (folder / file).write_text(json.dumps({"run": {"plan": run}}))
    status, sentences = dict.fromkeys(files, ""), dict.fromkeys(files, "")
    for line in terraform(folder, "test", "-json").stdout.splitlines():
        match json.loads(line):
            case {"@testfile": file, "diagnostic": said}:
                sentences[file] += " ".join(f"{said['summary']} {said['detail']} ".split())
            case {"test_run": {"path": file, "progress": "complete", "status": ended}}:
                status[file] = ended
    return {json.dumps(values): (status[file], sentences[file]) for file, values in files.items()}


@pytest.mark.parametrize(("variable", "value", "sentence"), REFUSED)
def test_a_wrong_value_is_refused_with_a_sentence(
    variable: str, value: object, sentence: str, planned: dict[str, tuple[str, str]]
) -> None:
    status, said = planned[json.dumps({variable: value})]
    assert status == "error", f"{variable} = {value} was accepted"
    assert sentence in said


@pytest.mark.parametrize(("values", "sentence"), REFUSED_TOGETHER)
def test_values_that_do_not_go_together_are_refused(
    values: dict[str, Any], sentence: str, planned: dict[str, tuple[str, str]]
) -> None:
    status, said = planned[json.dumps(values)]
    assert status == "error"
    assert sentence in said


@pytest.mark.parametrize("values", ACCEPTED)
def test_right_values_are_accepted(
    values: dict[str, Any], planned: dict[str, tuple[str, str]]
) -> None:
    status, said = planned[json.dumps(values)]
    assert status == "pass", said


@pytest.fixture(scope="module")
def declared() -> list[dict[str, Any]]:
    """The blocks of all variables; parsing them takes seconds."""
    blocks: list[dict[str, Any]] = hcl2.loads(VARIABLES.read_text())["variable"]
    return blocks


def test_every_validation_has_been_seen_to_refuse(declared: list[dict[str, Any]]) -> None:
    tried = Counter(variable for variable, _, _ in REFUSED)
    tried.update(variable for values, _ in REFUSED_TOGETHER for variable in values)
    for block in declared:
        for label, body in block.items():
            validations = len(body.get("validation", []))
            assert tried[label.strip('"')] >= validations, f"{label} has {validations} validations"


def test_every_variable_has_a_type_and_a_description(declared: list[dict[str, Any]]) -> None:
    for block in declared:
        for label, body in block.items():
            assert body.get("type"), label
            assert body.get("description"), label


def test_no_variable_drops_settings_that_it_does_not_know() -> None:
    """An object type does; a misspelt setting would then have no effect, and nobody would know."""
    assert "object(" not in VARIABLES.read_text(encoding="utf-8")


class TestPackage:
    """What `make package` built, and what it was built for."""

    @pytest.fixture
    def package(self, variables: Path) -> Path:
        """A package next to the files that check it."""
        for name in ("package.tf", "function_settings.tf"):
            shutil.copy(VARIABLES.with_name(name), variables)
        return shutil.copytree(PACKAGE, variables / "package")

    def test_formats_that_it_lacks(self, terraform: Terraform, package: Path) -> None:
        avif = {"name": "b", "format": "avif", "max_width": 320}
        values = {"package_dir": "package", "renditions": [THUMB, avif]}
        manifest = json.loads((package / "manifest.json").read_text(encoding="utf-8"))
        for formats, status in (([], 1), (["png", "jpeg", "webp"], 1), (["avif", "webp"], 0)):
            changed = json.dumps({**manifest, "formats": formats})
            (package / "manifest.json").write_text(changed, encoding="utf-8")
            found, said = plan(terraform, package.parent, values)
            assert (found != 0) == bool(status), said
            assert not status or "Run `make package FORMATS=avif,webp`." in said

    def test_renditions_that_do_not_fit_into_memory(
        self, terraform: Terraform, package: Path
    ) -> None:
        large = {"name": "large", "format": "jpeg", "max_width": 12_000, "max_height": 12_000}
        values = {"package_dir": package.name, "renditions": [large]}
        status, said = plan(terraform, package.parent, values)
        assert status != 0
        assert "large takes up to 1939 MB of 1245" in said

    def test_of_the_right_kind_is_accepted(self, terraform: Terraform, package: Path) -> None:
        values = {"package_dir": str(package), "runtime": "python3.13", "architecture": "arm64"}
        status, said = plan(terraform, package.parent, values)
        assert status == 0, said

    def test_in_a_bucket_needs_no_folder(self, terraform: Terraform, package: Path) -> None:
        shutil.rmtree(package)
        values = {"package_s3": PACKAGE_S3, "runtime": "python3.12", "architecture": "x86_64"}
        status, said = plan(terraform, package.parent, values)
        assert status == 0, said

    def test_in_a_bucket_for_a_python_without_snapshots(
        self, terraform: Terraform, package: Path
    ) -> None:
        values = {
            "package_s3": PACKAGE_S3,
            "runtime": "python3.11",
            "functions": {"upload": {"snap_start": True}},
        }
        status, said = plan(terraform, package.parent, values)
        assert status != 0
        assert "supports snapshots from python3.12 on" in said

    def test_missing(self, terraform: Terraform, package: Path) -> None:
        status, said = plan(terraform, package.parent, {"package_dir": "nowhere"})
        assert status != 0
        assert "There is no package in nowhere. Run `make package` first." in said

    @pytest.mark.parametrize(
        ("variable", "value", "sentence"),
        [
            (
                "runtime",
                "python3.12",
                "python3.12 on arm64. Run `make package RUNTIME=python3.12`.",
            ),
            (
                "architecture",
                "x86_64",
                "python3.13 on x86_64. Run `make package ARCHITECTURE=x86_64`.",
            ),
        ],
    )
    def test_built_for_something_else(
        self, variable: str, value: str, sentence: str, terraform: Terraform, package: Path
    ) -> None:
        values = {"package_dir": str(package), variable: value}
        status, said = plan(terraform, package.parent, values)
        assert status != 0
        assert f"was built for python3.13 on arm64, but the variables ask for {sentence}" in said

    def test_built_for_a_python_without_snapshots(
        self, terraform: Terraform, package: Path
    ) -> None:
        manifest = package / "manifest.json"
        manifest.write_text(manifest.read_text().replace("python3.13", "python3.11"))
        values = {"package_dir": str(package), "functions": {"upload": {"snap_start": True}}}
        status, said = plan(terraform, package.parent, values)
        assert status != 0
        assert "supports snapshots from python3.12 on" in said

    def test_changed_after_it_was_built(self, terraform: Terraform, package: Path) -> None:
        (package / "layer.txt").write_text("something else")
        status, said = plan(terraform, package.parent, {"package_dir": str(package)})
        assert status != 0
        assert "do not match its manifest. Run `make package`." in said

    def test_half_written(self, terraform: Terraform, package: Path) -> None:
        (package / "manifest.json").write_text('{"runtime": "python3.13"')
        status, said = plan(terraform, package.parent, {"package_dir": str(package)})
        assert status != 0
        assert "There is no package in" in said
