"""What a package is built for: options, Terraform's variables, this machine; what is refused."""

from __future__ import annotations

import platform
import sys

import pytest

from scripts.package import PackageError
from scripts.package.target import Target, deploy_target, host_target


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TF_VAR_runtime", raising=False)
    monkeypatch.delenv("TF_VAR_architecture", raising=False)


def test_the_default() -> None:
    assert deploy_target(None, None) == Target("python3.13", "arm64")


def test_terraforms_variables_choose_unless_the_command_line_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TF_VAR_runtime", "python3.12")
    monkeypatch.setenv("TF_VAR_architecture", "x86_64")

    assert deploy_target(None, None) == Target("python3.12", "x86_64")
    assert deploy_target("python3.11", None) == Target("python3.11", "x86_64")
    assert deploy_target(None, "arm64") == Target("python3.12", "arm64")


def test_a_wrong_variable_of_terraform_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_VAR_architecture", "sparc")

    with pytest.raises(PackageError, match="'sparc', but must be one of arm64, x86_64"):
        deploy_target(None, None)


def test_pip_takes_wheels_of_the_target_and_builds_none() -> None:
    options = Target("python3.12", "arm64").pip_options()

    assert "--only-binary=:all:" in options
    assert {"--python-version=3.12", "--abi=cp312", "--implementation=cp"} <= set(options)
    platforms = [option for option in options if option.startswith("--platform=")]
    assert "--platform=manylinux_2_28_aarch64" in platforms
    assert all(option.endswith("_aarch64") for option in platforms)


def test_the_host_is_this_python_and_this_machine() -> None:
    host = host_target()

    assert host.runtime == "python{}.{}".format(*sys.version_info)
    assert host.machine == {"AMD64": "x86_64", "arm64": "aarch64"}.get(
        platform.machine(), platform.machine()
    )
    assert host.pip_options() == ["--only-binary=:all:"]


def test_a_host_without_counterpart_on_lambda_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")

    with pytest.raises(PackageError, match="processor of this machine is 'riscv64'"):
        host_target()
