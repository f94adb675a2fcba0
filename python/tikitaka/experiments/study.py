"""A study: a question about the hardware, answered by trainings, with its table and its figure."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

__all__ = ["DATA_DIR", "Option", "Study"]


@dataclass(frozen=True)
class Option:
    """An argument of `Study.run` that is the study's own, and the flag of that name of its command."""

    name: str
    """name of the argument"""
    kind: Literal["name", "names", "numbers", "folder"]
    """what it takes: a name, names or numbers with commas between them, or a folder"""
    help: str
    """what it is"""
    default: Any = None
    """its default"""
    choices: tuple[str, ...] = ()
    """the names that are allowed; (): any"""
    environment: str | None = None
    """environment variable that holds it where the flag is not given"""


DATA_DIR = Option("data_dir", "folder", "Folder of data sets (TIKITAKA_DATA).", environment="TIKITAKA_DATA")


class Study(ABC):
    """One study; an instance called `study` in a module of `tikitaka.experiments.studies` is a command and a figure."""

    name: str
    """its name, which a result has under the key claim"""
    question: str
    """what it asks, in a line"""
    scales: Mapping[str, Any]
    """how much work is done, by name; "full" is that of the paper"""
    options: Sequence[Option]
    """arguments of `run` that are its own"""
    seeds_help: str
    """what `seeds` counts, and its default"""
    resumable: ClassVar[bool] = True
    """whether trainings are kept in a folder, which must then be given, and are not repeated"""
    has_figure: ClassVar[bool] = True
    """whether there is a figure of its result"""

    @abstractmethod
    def run(self, *args: Any, **options: Any) -> dict[str, Any]:
        """Run the study and return its result: plain values, its name as "claim" and "rows" among them.

        Every study takes out, scale, seeds, threads and progress by name, beside its own `options`. Trainings are kept
        in the folder `out` where the study is `resumable`. Raises ValueError for unknown names.
        """

    @abstractmethod
    def table(self, result: Mapping[str, Any]) -> str:
        """The result as text."""

    def plot(self, result: Mapping[str, Any], path: str | Path) -> None:
        """Draw the figure of a result as a picture in `path`; ValueError where the study `has_figure` not."""
        raise ValueError(f"the study {self.name} has no figure")
