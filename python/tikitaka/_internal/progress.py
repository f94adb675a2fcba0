"""Whether progress bars are shown: in terminals and in notebooks."""

import sys

__all__ = ["bar_disabled", "in_notebook"]


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook: no terminal, but its output is watched."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return hasattr(shell, "kernel")


def bar_disabled(progress: bool) -> bool | None:
    """The argument `disable` of a tqdm bar on standard error; None leaves the choice to whether that is a terminal."""
    return (False if in_notebook() else None) if progress else True
