"""Every public name has a docstring, examples in docstrings run, and the stub matches the compiled module."""

import ast
import doctest
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import tikitaka
from tikitaka import _core

SOURCES = Path(tikitaka.__file__).parent
EXTRAS = ("torch", "onnx", "sklearn")  # packages that a module may need and an environment may lack
STUB = ast.parse((SOURCES / "_core.pyi").read_text(encoding="utf-8"))


def modules() -> Iterator[ModuleType]:
    """Every module of the package whose extras are installed."""
    yield tikitaka
    for found in pkgutil.walk_packages(tikitaka.__path__, "tikitaka."):
        if not found.name.endswith("__main__"):
            try:
                yield importlib.import_module(found.name)
            except ModuleNotFoundError as error:
                if error.name not in EXTRAS:
                    raise


def public(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """The classes and functions in `__all__` of a module, and the public members of its classes."""
    for name in getattr(module, "__all__", ()):
        value = getattr(module, name)
        if not callable(value) or not getattr(value, "__module__", "tikitaka").startswith("tikitaka"):
            continue  # a constant or another module's
        yield f"{module.__name__}.{name}", value
        for member, found in vars(value).items() if inspect.isclass(value) else ():
            found = getattr(found, "__func__", found)  # of a class method
            if not member.startswith("_") and (inspect.isroutine(found) or inspect.isdatadescriptor(found)):
                yield f"{module.__name__}.{name}.{member}", found


def test_no_public_name_without_a_docstring() -> None:
    names = dict(pair for module in modules() for pair in public(module))
    assert len(names) > 200
    assert [name for name, value in names.items() if not inspect.getdoc(value)] == []
    assert [module.__name__ for module in modules() if not module.__doc__] == []


def fields(tree: ast.AST) -> Iterator[tuple[str, bool]]:
    """The public fields of the public dataclasses and named tuples of a source, and whether each is documented."""
    for node in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name[0] != "_"):
        marks = [ast.unparse(mark) for mark in (*node.decorator_list, *node.bases)]
        if not any(mark.startswith(("dataclass", "NamedTuple")) for mark in marks):
            continue
        for field, after in zip(node.body, [*node.body[1:], None], strict=True):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                text = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
                if field.target.id[0] != "_" and field.target.id != "kind":  # which only names the class
                    yield f"{node.name}.{field.target.id}", text or "Annotated[" in ast.unparse(field.annotation)


def test_every_field_of_every_public_dataclass_is_documented() -> None:
    found = [
        (f"{path.name}: {name}", documented)
        for path in sorted(SOURCES.rglob("*.py"))
        if "cli" not in path.parts  # an interface of commands, not of classes
        for name, documented in fields(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert len(found) > 150
    assert [name for name, documented in found if not documented] == []


@pytest.mark.parametrize("module", list(modules()), ids=lambda module: module.__name__)
def test_examples_in_docstrings(module: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert doctest.testmod(module).failed == 0


def test_what_a_newcomer_needs_has_an_example() -> None:
    newcomers = ("Crossbar", "AnalogLayer", "Model", "Network", "SoftBounds", "fit")
    values = [getattr(tikitaka, name) for name in newcomers]
    values += [tikitaka.data.load, importlib.import_module("tikitaka.experiments").sweep]
    assert [value for value in values if ">>>" not in str(value.__doc__)] == []


@pytest.mark.parametrize("name", ["Crossbar", "AnalogLayer"])
def test_the_stub_says_what_the_compiled_module_does(name: str) -> None:
    (stub,) = (node for node in STUB.body if isinstance(node, ast.ClassDef) and node.name == name)
    compiled = getattr(_core, name)
    said = {name: ast.get_docstring(stub)}
    done = {name: inspect.getdoc(compiled)}
    for node in stub.body:
        if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
            continue
        if not any(ast.unparse(mark).endswith(".setter") for mark in node.decorator_list):
            said[node.name] = ast.get_docstring(node)
            done[node.name] = inspect.getdoc(getattr(compiled, node.name))
    assert said == done
