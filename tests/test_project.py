"""The project itself: pages are documented, versions exact, floors checked, documents honest."""

import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/decisions.md")
MACHINE_PATHS = re.compile(rf"(?<![\w.]){re.escape(str(ROOT))}\b|(?<![\w.])/root/")


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _requirements(name: str) -> list[str]:
    lines = (line.partition("#")[0].strip() for line in _text(name).splitlines())
    return [line for line in lines if line and not line.startswith("-r")]


def test_readme_names_every_page():
    """Each page file has its title in the README's table of pages."""
    from pages.shared.navigation import MENU

    titles = {file: title for file, title, _ in MENU}
    for path in sorted((ROOT / "pages").glob("*.py")):
        if path.name != "__init__.py":
            assert f"| **{titles[path.name]}** |" in _text("README.md")


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_requirements_are_exact(name):
    """Every requirement is pinned with `==` to one version, each package once."""
    lines = _requirements(name)
    assert lines
    for line in lines:
        assert re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9.]+", line), line
    names = [line.split("==")[0].lower() for line in lines]
    assert len(names) == len(set(names))


def test_torch_is_the_version_asked_for():
    """The task pins torch to 2.13.0."""
    assert "torch==2.13.0" in _requirements("requirements.txt")


def test_every_requirement_is_decided():
    """Each package of requirements.txt is named in the decisions."""
    decisions = _text("docs/decisions.md").lower()
    for line in _requirements("requirements.txt"):
        assert line.split("==")[0].lower() in decisions, line


def test_import_contracts_stand():
    """The floors and the two bans are configured for core and pages."""
    settings = tomllib.loads(_text("pyproject.toml"))["tool"]["importlinter"]
    assert {"darkgnn_core", "pages"} <= set(settings["root_packages"])
    contracts = settings["contracts"]
    assert any(contract["type"] == "layers" for contract in contracts)
    banned = {
        (m, s)
        for c in contracts
        for m in c.get("forbidden_modules", [])
        for s in c["source_modules"]
    }
    assert ("streamlit", "darkgnn_core") in banned
    assert ("torch", "pages") in banned


def test_every_module_has_a_floor():
    """No module of the core escapes the contract of floors."""
    contracts = tomllib.loads(_text("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    placed = set(re.findall(r"darkgnn_core\.(\w+)", " ".join(layers)))
    found = {p.stem for p in (ROOT / "darkgnn_core").iterdir() if (p / "__init__.py").is_file()}
    found |= {path.stem for path in (ROOT / "darkgnn_core").glob("*.py")} - {"__init__"}
    assert found <= placed, sorted(found - placed)


def test_decisions_are_dated():
    """Each decision starts with its day."""
    paragraphs = re.split(r"\n{2,}", _text("docs/decisions.md"))
    dated = [text for text in paragraphs if text.startswith("**")]
    assert len(dated) > 15
    for text in dated:
        assert re.match(r"\*\*\d{4}-\d{2}-\d{2}, ", text), text[:60]


def test_decisions_that_code_cites_exist():
    """A source in a docstring such as `docs/decisions.md`, hostile files) names a decision."""
    decisions = _text("docs/decisions.md").lower()
    cited = set()
    for folder in ("darkgnn_core", "pages"):
        for path in (ROOT / folder).rglob("*.py"):
            cited |= set(re.findall(r"docs/decisions\.md`, ([a-z ]+)\)", path.read_text()))
    assert cited
    for words in cited:
        assert words.removeprefix("the ") in decisions, words


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_name_files_that_exist(name):
    """Links between documents lead somewhere."""
    for target in re.findall(r"\]\(([^)#:]+)\)", _text(name)):
        assert ((ROOT / name).parent / target).exists(), target


def test_documented_make_targets_exist():
    """Each `make something` of the documents is a target."""
    targets = set(re.findall(r"^([a-z]+):", _text("Makefile"), flags=re.MULTILINE))
    for name in DOCUMENTS:
        for target in re.findall(r"(?:`|^ {4})make ([a-z]+)", _text(name), flags=re.MULTILINE):
            assert target in targets, f"{name}: make {target}"


def test_licence_is_plain_apache():
    """The licence file is the unchanged text of Apache-2.0."""
    text = _text("LICENSE")
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert "Copyright [yyyy] [name of copyright owner]" in text


def _tracked() -> list[Path]:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("no git here: which files belong to the project is not known")
    listed = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    names = listed.stdout.decode().split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def test_no_path_of_one_machine_is_committed():
    """No file of the project names a place on the machine it was written on."""
    for path in _tracked():
        texts = path.suffix in {".py", ".md", ".toml", ".txt", ""}
        if texts and path != Path(__file__).resolve():
            found = MACHINE_PATHS.search(path.read_text(encoding="utf-8"))
            assert found is None, f"{path.relative_to(ROOT)}: {found}"


def test_only_what_belongs_here_is_committed():
    """No environment, cache, notebook, pickle, capture or database is part of the project."""
    for path in _tracked():
        inside = path.relative_to(ROOT)
        assert "site-packages" not in inside.parts, inside
        assert inside.suffix not in {".pkl", ".pickle", ".ipynb", ".pcap", ".sqlite", ".pyc", ".pt"}


def test_ci_script_is_sound():
    """The CI script runs the same checks as developers, without asking, within its time."""
    path = ROOT / ".ci" / "run"
    text = path.read_text()
    assert path.stat().st_mode & 0o111
    assert "set -euo pipefail" in text
    assert "DARKGNN_REQUIRE_BROWSER=1" in text
    assert text.rstrip().endswith("make test")
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash here: the script cannot be checked")
    subprocess.run([bash, "-n", str(path)], check=True)


def test_make_shows_what_it_would_do():
    """`make -n run` starts the app over the demo; another workspace gets no demo."""
    make = shutil.which("make")
    if make is None:
        pytest.skip("no make here: the Makefile cannot be tried")
    plans = {}
    for setting in ("", "WORKSPACE=mine"):
        command = shlex.split(f"{make} --no-print-directory -n run {setting}")
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        plans[setting] = done.stdout
    assert 'app.py --workspace "demo-workspace"' in plans[""]
    assert 'app.py --workspace "mine"' in plans["WORKSPACE=mine"]
    assert "demo --workspace" not in plans["WORKSPACE=mine"]
