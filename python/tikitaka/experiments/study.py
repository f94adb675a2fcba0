"""Studies: questions about the hardware that are answered by trainings, with a table and a figure."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, ClassVar, Literal, ParamSpec, TypeVar

from tikitaka._internal.lock import locked_folder

__all__ = ["DATA_DIR", "Option", "Study", "locked_study", "one_writer"]

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Option:
    """An argument of `Study.run` that only this study has, and the flag of that name of its command."""

    name: str
    """name of the argument"""
    kind: Literal["name", "names", "numbers", "folder"]
    """its values: a name, names or numbers separated by commas, or a folder"""
    help: str
    """its help text"""
    default: Any = None
    """its default"""
    choices: tuple[str, ...] = ()
    """the allowed names; (): any"""
    environment: str | None = None
    """environment variable that replaces a missing flag"""


DATA_DIR = Option("data_dir", "folder", "Folder of data sets (TIKITAKA_DATA).", environment="TIKITAKA_DATA")


def locked_study(out: str | Path) -> AbstractContextManager[None]:
    """In this context, no other process or thread writes to the folder of a study; BlockingIOError if one does."""
    return locked_folder(out, "another process runs a study in this folder")


def one_writer(run: Callable[P, T]) -> Callable[P, T]:
    """`Study.run` within `locked_study` of its folder `out`."""

    @wraps(run)
    def locked(*args: P.args, **options: P.kwargs) -> T:
        with locked_study(options["out"]):  # type: ignore[arg-type]
            return run(*args, **options)

    return locked


class Study(ABC):
    """One study; an instance called `study` in a module of `tikitaka.experiments.studies` is a command and a figure."""

    name: str
    """its name, also in results under the key claim"""
    question: str
    """what it asks, in a line"""
    scales: Mapping[str, Any]
    """amounts of work by name; "full" is that of the paper"""
    options: Sequence[Option]
    """arguments of `run` that only this study has"""
    seeds_help: str
    """help text of `--seeds`, with its default"""
    resumable: ClassVar[bool] = True
    """whether trainings are stored in a folder, which is then required, and not repeated"""
    has_figure: ClassVar[bool] = True
    """whether there is a figure of its result"""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    @abstractmethod
    def run(self, *args: Any, **options: Any) -> dict[str, Any]:
        """Run the study and return its result: plain values, including its name as "claim", and "rows".

        Every study takes out, scale, seeds, threads and progress by name, besides its own `options`. Trainings are
        stored in the folder `out` if the study is `resumable`. Raises ValueError for unknown names, and BlockingIOError
        if another process or thread runs a study in `out`.
        """

    @abstractmethod
    def table(self, result: Mapping[str, Any]) -> str:
        """The result as text."""

    def plot(self, result: Mapping[str, Any], path: str | Path) -> None:
        """Draw the figure of a result as a picture in `path`; ValueError unless the study `has_figure`."""
        raise ValueError(f"the study {self.name} has no figure")
