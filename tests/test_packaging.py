"""The package as others install it: built without a network, used from a folder of their own."""

from __future__ import annotations

import fnmatch
import os
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
METADATA = tomllib.loads(ROOT.joinpath("pyproject.toml").read_text(encoding="utf-8"))

# Folder of the checkout to folder of the wheel.
SHIPPED = {
    "banner/slagboom_banner": "slagboom_banner",
    "server/slagboom_server": "slagboom_server",
    "e2e/slagboom_e2e": "slagboom_e2e",
    "static/js/dist": "slagboom_banner/_assets/static/js/dist",
    "policies": "slagboom_banner/_assets/policies",
}
ASSETS = """
from slagboom_banner.assets import policies_directory, static_directory
from slagboom_banner.load import read_policies
print(policies_directory())
print(static_directory())
print(*sorted(read_policies(policies_directory())))
"""


@dataclass(frozen=True, slots=True)
class Installation:
    """A virtual environment with Slagboom in it, and a project folder to use it from."""

    programs: Path
    project: Path

    def run(self, *command: str) -> str:
        """What the command printed; it must succeed and must not warn."""
        program, *arguments = command
        result = subprocess.run(
            [self.programs / program, *arguments],
            cwd=self.project,
            env={"PATH": os.defpath, "HOME": str(self.project), "PYTHONWARNINGS": "error"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (result.returncode, result.stderr) == (0, "")
        return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module", params=["wheel", "editable"])
def installation(
    request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> Installation:
    folder = tmp_path_factory.mktemp(request.param)
    environment = folder / "environment"
    venv.create(environment, with_pip=False, symlinks=True)
    python = environment / "bin/python"
    # The libraries are those of this environment: added as a plain path, its own editable
    # installation of Slagboom stays out, because Python reads .pth files in site folders only.
    libraries = sysconfig.get_path("purelib")
    (site_packages,) = environment.glob("lib/python*/site-packages")
    site_packages.joinpath("libraries.pth").write_text(f"{libraries}\n")
    what = [str(wheel)] if request.param == "wheel" else ["--editable", str(ROOT)]
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"]
    options = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--ignore-installed"]
    subprocess.run([*pip, "install", *options, *what], capture_output=True, check=True)
    project = folder / "project"
    # Names like those of our own folders, which must not be taken for them.
    for name in ("server", "banner", "e2e", "static", "policies"):
        (project / name).mkdir(parents=True)
        (project / name / "__init__.py").write_text("raise AssertionError('the wrong folder')\n")
    return Installation(environment / "bin", project)


def files_under(folder: Path) -> set[str]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)) for file in files if "__pycache__" not in file.parts}


def test_the_wheel_carries_the_packages_their_data_and_nothing_else(wheel: Path) -> None:
    expected = {
        f"{target}/{name}"
        for source, target in SHIPPED.items()
        for name in files_under(ROOT / source)
    }

    names = zipfile.ZipFile(wheel).namelist()

    metadata = f"slagboom-{METADATA['project']['version']}.dist-info/"
    assert {name for name in names if not name.startswith(metadata)} == expected
    assert f"{metadata}licenses/LICENSE" in names


@pytest.mark.parametrize(
    "pattern",
    [
        "slagboom_banner/texts/*.yaml",
        "slagboom_banner/themes/*.css",
        "slagboom_banner/_assets/policies/*.yaml",
        "slagboom_banner/_assets/policies/services/*.yaml",
        "slagboom_banner/_assets/static/js/dist/*.js",
        "slagboom_server/migrations/versions/*.py",
        "slagboom_server/demo/pages/**/*.html",
    ],
)
def test_the_wheel_has_what_the_program_reads(wheel: Path, pattern: str) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    assert fnmatch.filter(names, pattern)


def test_the_wheel_has_no_tests_and_no_client_sources(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    parts = {part for name in names for part in name.split("/")}
    assert not [part for part in parts if part.startswith("test_")]
    assert parts.isdisjoint({"conftest.py", "tests", "vendor", "axe.min.js", "node_modules"})
    client = [name for name in names if "/static/js/" in name]
    assert client
    assert all("/static/js/dist/" in name for name in client)
    assert {name.rpartition("/")[2].partition(".")[2] for name in client} == {"js", "d.ts"}


def test_the_command_answers_from_another_folder(installation: Installation) -> None:
    answer = installation.run("slagboom", "--help")

    assert "serve" in answer
    assert "demo" in answer


def test_the_assets_are_found_from_another_folder(installation: Installation) -> None:
    answer = installation.run("python", "-c", ASSETS).splitlines()

    policies, static = Path(answer[0]), Path(answer[1])
    assert installation.project not in (*policies.parents, *static.parents)
    assert files_under(policies) == files_under(ROOT / "policies")
    assert files_under(static / "js/dist") == files_under(ROOT / "static/js/dist")
    assert answer[2:] == ["dsoft kresoft soft4doc"]


def test_a_wheel_uses_its_own_files_and_an_editable_installation_the_checkouts(
    installation: Installation, request: pytest.FixtureRequest
) -> None:
    code = "import slagboom_{0}; print(slagboom_{0}.__file__)"

    files = [
        Path(installation.run("python", "-c", code.format(package)).strip())
        for package in ("banner", "server", "e2e")
    ]

    is_editable = request.node.callspec.params["installation"] == "editable"
    assert [ROOT in file.parents for file in files] == [is_editable] * 3


@pytest.mark.parametrize("lock", ["runtime", "dev"])
def test_the_lock_satisfies_what_the_package_asks_for(lock: str) -> None:
    groups = METADATA["dependency-groups"]
    wanted = [*METADATA["project"]["dependencies"], *groups["build"]]
    if lock == "dev":
        wanted += [line for line in groups["dev"] if isinstance(line, str)]
    pinned = locked_versions(lock)

    unmet = [
        line
        for line in wanted
        if not (requirement := Requirement(line)).specifier.contains(
            pinned.get(canonicalize_name(requirement.name), "0")
        )
    ]

    assert unmet == []


def test_both_locks_pin_the_same_versions() -> None:
    runtime, dev = locked_versions("runtime"), locked_versions("dev")

    assert runtime.items() <= dev.items()


def locked_versions(lock: str) -> dict[str, str]:
    """Name to version; every line of a lock is one exact version followed by its hashes."""
    text = ROOT.joinpath(f"requirements/{lock}.txt").read_text(encoding="utf-8")
    pins = [line.split(" ")[0] for line in text.splitlines() if line[:1].isalnum()]
    return {
        canonicalize_name(name): version for name, _, version in (p.partition("==") for p in pins)
    }
