"""Imports only go down: no package imports a higher one, and there are no cycles and no imports inside functions."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import tikitaka

PACKAGE = Path(tikitaka.__file__).parent

LAYERS = (
    "_core",
    "_internal",
    "config",
    "data",
    "nn",
    "rule",
    "score",
    "measurement",
    "model",
    "network",
    "costs",
    "deployment",
    "training",
    "export",
    "plot",
    "fitting",
    "experiments",
    "assessment",
    "cli",
    "torch",
    "sklearn",
    "__main__",
)
"""Each may import those before it."""

EXTRAS = {"matplotlib", "onnx", "openpyxl", "pooch", "scipy", "sklearn", "threadpoolctl", "torch"}
"""Packages that an installation may lack: they are imported where they are used."""

MODULES = {
    ".".join(["tikitaka", *path.relative_to(PACKAGE).with_suffix("").parts]).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}

NEED_EXTRAS = {"tikitaka.export.onnx_graph", "tikitaka.export.torch_modules"}
NEED_EXTRAS |= {name for name in MODULES if name.split(".")[1:2] in (["sklearn"], ["torch"])}
"""Modules that import them at once, and are imported where they are used themselves, or by the user."""


def imports(name: str) -> Iterator[tuple[str, bool]]:
    """The imports of a module, and whether each is inside a function."""
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    hidden = {id(inner) for function in functions for inner in ast.walk(function)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in hidden
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relative to itself"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in MODULES or whole == "tikitaka._core" else str(node.module), id(node) in hidden


def level(module: str) -> int:
    return LAYERS.index(module.split(".")[1])


@pytest.mark.parametrize("name", [name for name in MODULES if name != "tikitaka"])
def test_no_module_imports_from_a_level_above_its_own(name: str) -> None:
    for imported, _ in imports(name):
        if imported.partition(".")[0] == "tikitaka":
            assert imported != "tikitaka", f"{name} imports from the package as a whole"
            assert level(imported) <= level(name), f"{name} imports {imported}"


def test_no_circles() -> None:
    """`static_order` raises CycleError, which names the cycle."""
    graph = {name: {imported for imported, _ in imports(name) if imported in MODULES} for name in MODULES}
    assert set(TopologicalSorter(graph).static_order()) == set(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_only_extras_are_imported_within_functions(name: str) -> None:
    hidden = {imported for imported, within in imports(name) if within}
    assert {imported for imported in hidden - NEED_EXTRAS if imported.partition(".")[0] not in EXTRAS} == set()
    at_once = {imported.partition(".")[0] for imported, within in imports(name) if not within} & EXTRAS
    typing_only = "TYPE_CHECKING" in MODULES[name].read_text(encoding="utf-8")
    assert not at_once or name in NEED_EXTRAS or typing_only


def test_every_room_has_its_place() -> None:
    assert {name.split(".")[1] for name in MODULES if name != "tikitaka"} == set(LAYERS) - {"_core"}
