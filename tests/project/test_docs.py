"""The examples in the documentation run: Python prints the output shown, and commands work."""

import importlib
import re
import runpy
import shlex
import shutil
from pathlib import Path

import pytest

import tikitaka as tt
from tikitaka import cli

ROOT = Path(__file__).parents[2]
DOCS, RESULTS = ROOT / "docs", ROOT / "results"
_BLOCKS = runpy.run_path(str(DOCS / "blocks.py"))
run = _BLOCKS["run"]


def shows_output(page: Path) -> bool:
    """Whether a page says what one of its Python blocks prints."""
    return any(block[2] is not None for block in _BLOCKS["_BLOCK"].finditer(page.read_text(encoding="utf-8")))


PAGES = [ROOT / "README.md", DOCS / "algorithm.md", *(page for page in sorted(DOCS.glob("*.md")) if shows_output(page))]


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_python_prints_what_the_page_shows(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = list(run(page))
    assert blocks
    for code, printed, shown in blocks:
        assert printed == (shown or ""), code
    pictures = {path.name for path in tmp_path.glob("*.png")}
    assert pictures <= {path.name for path in (DOCS / "assets").iterdir()}
    drawn = set(re.findall(r"assets/(\w+\.png)", page.read_text(encoding="utf-8")))
    assert page.parent != DOCS or pictures <= drawn, "a picture is drawn and not shown"


def commands() -> list[str]:
    """The shell commands of the tutorial, which need only the bundled data and its file of pulses."""
    blocks = re.findall(r"```sh\n(.*?)```", (DOCS / "tutorial.md").read_text(encoding="utf-8"), re.DOTALL)
    return [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("command", commands())
def test_commands_work(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pulses = shutil.copy(ROOT / "examples" / "reram.csv", tmp_path)
    program, *arguments = shlex.split(command)
    assert program == "tikitaka"
    with pytest.raises(SystemExit) as left:
        cli.main(arguments)
    assert left.value.code == 0
    assert {*tmp_path.iterdir()} > {Path(pulses)}


def test_every_option_that_pages_name_exists(capsys: pytest.CaptureFixture[str]) -> None:
    """For commands that are shown but not run, because they need data or an earlier run."""
    named: set[tuple[str, str]] = set()
    for page in [ROOT / "README.md", *DOCS.glob("*.md"), *RESULTS.rglob("*.md")]:
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        for verb, rest in re.findall(r"^ *`?tikitaka ([a-z]+(?: [a-z-]+(?= --))?)([^`\n#]*)", text, re.MULTILINE):
            named |= {(verb, option) for option in re.findall(r"(?<!\S)--[a-z][a-z0-9-]*", rest)}
    assert len(named) > 20
    for verb in {verb for verb, _ in named}:
        with pytest.raises(SystemExit):
            cli.main([*verb.split()[: 2 if verb.startswith("reproduce") else 1], "--help"])
        known = capsys.readouterr().out
        assert {option for of, option in named if of == verb and not re.search(rf"{option}\b", known)} == set(), verb


def test_the_index_of_the_api_names_every_public_name() -> None:
    listed = (DOCS / "api" / "index.md").read_text(encoding="utf-8")
    kinds = {kind.__name__ for table in (tt.config.devices, tt.config.rules) for kind in table.values()}  # in config.md
    names = {name for name in tt.__all__ if not name.startswith("_")} - kinds
    assert {name for name in names if f"[`{name}`][tikitaka." not in listed} == set()


def test_functions_that_share_the_name_of_their_module_have_a_place() -> None:
    """The site generator resolves such a name to the module, and omits the function unless it is listed."""
    for name in ("data", "experiments", "export", "plot"):
        package = importlib.import_module(f"tikitaka.{name}")
        page = (DOCS / "api" / f"{name}.md").read_text(encoding="utf-8")
        modules = {path.stem for path in Path(str(package.__file__)).parent.glob("*.py")}
        for both in modules & set(package.__all__):
            assert f"::: tikitaka.{name}.{both}.{both}\n" in page


def test_pages_are_found_from_the_site_and_lead_somewhere() -> None:
    site = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    assert {page for page in pages if f" {page}\n" not in site} == set()
    for path in [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *RESULTS.rglob("*.md")]:
        for link in re.findall(r"\]\(([^)#: ]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            assert (path.parent / link).exists(), f"{path.name}: {link}"


def test_files_that_pages_name_exist() -> None:
    """NAME is a placeholder."""
    pages = [DOCS / f"{name}.md" for name in ("architecture", "own", "data", "embedding", "measured", "assess")]
    for path in [ROOT / "CONTRIBUTING.md", *pages]:
        for file in re.findall(r"`((?:src|python|tests|examples|docs)/[\w./]+)`", path.read_text(encoding="utf-8")):
            assert "NAME" in file or (ROOT / file).exists(), f"{path.name}: {file}"


def test_the_page_on_embedding_shows_the_example_of_the_crate() -> None:
    crate = (ROOT / "src" / "lib.rs").read_text(encoding="utf-8")
    tested = re.search(r"^//! ```\n(.*?)^//! ```$", crate, re.DOTALL | re.MULTILINE)
    shown = re.search(r"```rust\n(.*?)```", (DOCS / "embedding.md").read_text(encoding="utf-8"), re.DOTALL)
    assert tested is not None
    assert shown is not None
    lines = [line.removeprefix("//!").removeprefix(" ") for line in tested[1].splitlines()]
    assert shown[1].splitlines() == [line for line in lines if not line.startswith("#")]


def test_the_readme_stays_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 100


def test_the_citation_is_of_this_version() -> None:
    version = re.compile(r'^version[ =:]+"?([\d.]+)', re.MULTILINE)
    cited, built = (
        version.search((ROOT / name).read_text(encoding="utf-8")) for name in ("CITATION.cff", "Cargo.toml")
    )
    assert cited is not None
    assert built is not None
    assert cited[1] == built[1]
