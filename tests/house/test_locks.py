"""The lock files: complete, hashed, and silent about where packages come from."""

from __future__ import annotations

import json
import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.project import PROJECT, name_of, tracked_files

LOCKS = {"dev": PROJECT / "requirements" / "dev.lock", "gateway": PROJECT / "requirements" / "gateway.lock"}
NOT_ON_A_GATEWAY = {"fastapi", "starlette", "uvicorn", "psycopg", "sqlalchemy", "alembic", "jinja2", "numpy"}

SERVERS = (
    "pypi",
    "pythonhosted",
    "npmjs",
    "yarnpkg",
    "nodesource",
    "anaconda",
    "jfrog",
    "ghcr",
    "docker",
    "postgresql",
)
PACKAGE_HOST = re.compile(
    rf"\b(?:(?:{'|'.join(SERVERS)})\.(?:org|com|io|net)|(?:deb|security|snapshot|ftp[\w.]*|apt[\w.]*)\.[\w-]+\.org)\b"
)
INDEX_SETTING = re.compile(r"^\s*(?:-i|--index-url|--extra-index-url|--find-links|index-url|registry)\b", flags=re.M)


def locked(extra: str) -> dict[str, str]:
    """Package name → version."""
    return dict(re.findall(r"^([\w.-]+)==([^ ;\\]+)", LOCKS[extra].read_text(), flags=re.M))


def wanted(extra: str) -> list[Requirement]:
    """What pyproject.toml asks for, our own extras resolved."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    found = [Requirement(text) for text in (*project["dependencies"], *project["optional-dependencies"][extra])]
    ours = [requirement for requirement in found if requirement.name == "pulsepost"]
    others = [requirement for requirement in found if requirement.name != "pulsepost"]
    return others + [needed for requirement in ours for inner in requirement.extras for needed in wanted(inner)]


@pytest.mark.parametrize("extra", LOCKS)
def test_the_lock_holds_what_pyproject_asks_for(extra: str) -> None:
    versions = {canonicalize_name(name): version for name, version in locked(extra).items()}
    missing = [
        str(requirement)
        for requirement in wanted(extra)
        if not requirement.specifier.contains(versions.get(canonicalize_name(requirement.name), "0"), prereleases=True)
    ]
    assert missing == [], "run make lock"


@pytest.mark.parametrize("extra", LOCKS)
def test_every_locked_package_has_a_hash(extra: str) -> None:
    entries = re.split(r"^(?=[\w.-]+==)", LOCKS[extra].read_text(), flags=re.M)[1:]
    assert entries
    assert all("--hash=sha256:" in entry for entry in entries)


def test_a_gateway_pulls_in_no_web_framework_and_no_database_driver() -> None:
    assert set(locked("gateway")).isdisjoint(NOT_ON_A_GATEWAY)
    assert {requirement.name for requirement in wanted("gateway")}.isdisjoint(NOT_ON_A_GATEWAY)


def test_no_lock_file_names_an_address() -> None:
    for path in tracked_files():
        if path.name.endswith((".lock", "-lock.json", "lock.yaml")):
            assert "://" not in path.read_text(), name_of(path)


def test_no_npm_package_says_where_it_was_taken_from() -> None:
    lock = json.loads((PROJECT / "cloud" / "console" / "package-lock.json").read_text())
    packages = [entry for name, entry in lock["packages"].items() if name]
    assert packages
    assert all("resolved" not in entry and entry["integrity"].startswith("sha512-") for entry in packages)


def test_no_tracked_file_names_a_host_that_serves_packages() -> None:
    named = []
    for path in tracked_files():
        try:
            text = path.read_text()
        except UnicodeDecodeError:  # pictures and captures
            continue
        named += [f"{name_of(path)}: {match.group()}" for match in PACKAGE_HOST.finditer(text)]
        named += [f"{name_of(path)}: {match.group()}" for match in INDEX_SETTING.finditer(text)]
    assert named == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (".".join(("files", "pythonhosted", "org")), True),
        (".".join(("deb", "debian", "org")), True),
        ("debian.org", False),
    ],
)
def test_a_host_that_serves_packages_would_be_noticed(text: str, found: bool) -> None:
    assert (PACKAGE_HOST.search(f"https://{text}/x") is not None) is found
