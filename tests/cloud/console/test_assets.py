"""Front-end libraries: copied from npm's folder, never part of the repository, missed aloud."""

import json
from pathlib import Path

import pytest

from cloud.console import assets

LOCK = assets.HERE / "package-lock.json"


def test_missing_assets_are_said_with_the_command_that_brings_them(tmp_path: Path) -> None:
    with pytest.raises(assets.AssetsMissing, match=r"htmx\.min\.js.*run: python -m deploy.bootstrap python assets"):
        assets.check(tmp_path)


def test_copying_what_npm_has_not_installed_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(assets.AssetsMissing, match="npm ci --prefix cloud/console"):
        assets.copy(tmp_path / "node_modules", tmp_path / "vendor")


def test_copying_puts_every_file_in_its_place(tmp_path: Path) -> None:
    for source in assets.FILES.values():
        (tmp_path / "node_modules" / source).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "node_modules" / source).write_text(source)
    assets.copy(tmp_path / "node_modules", tmp_path / "vendor")
    assets.check(tmp_path / "vendor")
    assert (tmp_path / "vendor" / "htmx.min.js").read_text() == "htmx.org/dist/htmx.min.js"


def test_the_lock_names_no_host_and_keeps_every_hash() -> None:
    text = LOCK.read_text()
    assert "resolved" not in text
    assert "://" not in text
    packages = json.loads(text)["packages"]
    assert all(package["integrity"].startswith("sha512-") for name, package in packages.items() if name)
