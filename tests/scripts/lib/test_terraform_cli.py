"""Terraform and its provider are found where they are, and what is missing is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.lib import terraform_cli
from scripts.lib.terraform_cli import PROVIDER, REGISTRY, TerraformError


def mirror(folder: Path, *, packed: bool = False) -> Path:
    """Make a mirror with an (empty) provider for this machine."""
    provider = folder / REGISTRY / PROVIDER
    if packed:
        file = provider / f"terraform-provider-aws_5.100.0_{terraform_cli.target()}.zip"
    else:
        file = provider / "5.100.0" / terraform_cli.target() / "terraform-provider-aws_v5.100.0_x5"
    file.parent.mkdir(parents=True)
    file.touch()
    return folder


def test_no_terraform(tmp_path: Path) -> None:
    with pytest.raises(TerraformError, match=r"Install Terraform 1\.10 or newer"):
        terraform_cli.terraform_binary(str(tmp_path))


class TestMirror:
    def test_none(self) -> None:
        assert terraform_cli.find_mirror({}, []) is None

    def test_the_variable_comes_first(self, tmp_path: Path) -> None:
        folder = mirror(tmp_path / "plugins")
        mirror(tmp_path / "opt")
        env = {"TF_PLUGIN_MIRROR": str(folder)}
        assert terraform_cli.find_mirror(env, [tmp_path / "opt"]) == folder

    def test_the_variable_names_an_empty_folder(self, tmp_path: Path) -> None:
        env = {"TF_PLUGIN_MIRROR": str(tmp_path)}
        with pytest.raises(TerraformError, match="terraform providers mirror"):
            terraform_cli.find_mirror(env, [])

    @pytest.mark.parametrize("below", ["", "plugins"])
    def test_add_on_software_is_searched(self, below: str, tmp_path: Path) -> None:
        folder = mirror(tmp_path / "opt" / below)
        assert terraform_cli.find_mirror({}, [tmp_path / "opt"]) == folder

    def test_too_deep(self, tmp_path: Path) -> None:
        mirror(tmp_path / "opt" / "some" / "where")
        assert terraform_cli.find_mirror({}, [tmp_path / "opt"]) is None

    def test_packed(self, tmp_path: Path) -> None:
        folder = mirror(tmp_path / "opt", packed=True)
        assert terraform_cli.find_mirror({}, [tmp_path / "opt"]) == folder

    def test_for_another_machine(self, tmp_path: Path) -> None:
        provider = tmp_path / "opt" / REGISTRY / PROVIDER / "5.100.0" / "plan9_mips"
        provider.mkdir(parents=True)
        (provider / "terraform-provider-aws_v5.100.0_x5").touch()
        assert terraform_cli.find_mirror({}, [tmp_path / "opt"]) is None


class TestEnvironment:
    def test_a_mirror_is_written_down_for_terraform(self, tmp_path: Path) -> None:
        folder = mirror(tmp_path / "plugins")
        base = {"TF_PLUGIN_MIRROR": str(folder)}
        env = terraform_cli.environment(base, tmp_path / "build")
        configuration = Path(env["TF_CLI_CONFIG_FILE"])
        assert configuration.parent == tmp_path / "build"
        assert f'path    = "{folder}"' in configuration.read_text()
        assert env["TF_INPUT"] == "0"

    def test_a_configuration_that_says_where_providers_come_from_is_respected(
        self, tmp_path: Path
    ) -> None:
        own = tmp_path / "own.tfrc"
        own.write_text("provider_installation {\n  direct {}\n}\n")
        env = terraform_cli.environment({"TF_CLI_CONFIG_FILE": str(own)}, tmp_path / "build")
        assert env["TF_CLI_CONFIG_FILE"] == str(own)

    def test_without_a_mirror_downloads_are_kept(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(terraform_cli, "find_mirror", lambda _env: None)
        gone = {"TF_CLI_CONFIG_FILE": str(tmp_path / "gone.tfrc"), "HOME": str(tmp_path)}
        env = terraform_cli.environment(gone, tmp_path / "build")
        assert "TF_CLI_CONFIG_FILE" not in env
        assert Path(env["TF_PLUGIN_CACHE_DIR"]).is_dir()


@pytest.mark.terraform
def test_a_provider_that_cannot_be_had(tmp_path: Path) -> None:
    env = terraform_cli.environment()
    empty = tmp_path / "empty"
    empty.mkdir()
    configuration = tmp_path / "cli.tfrc"
    configuration.write_text(
        f'provider_installation {{\n  filesystem_mirror {{\n    path = "{empty}"\n  }}\n}}\n'
    )
    (tmp_path / "main.tf").write_text(
        f'terraform {{\n  required_providers {{\n    aws = {{ source = "{PROVIDER}" }}\n  }}\n}}\n'
    )
    with pytest.raises(TerraformError, match="set TF_PLUGIN_MIRROR to a folder"):
        terraform_cli.init(tmp_path, {**env, "TF_CLI_CONFIG_FILE": str(configuration)})
