"""The command line: parse, call the API, print.

Exit status 0; 1 the run failed; 2 bad input, with one line on standard error; 129, 130 or 143 if a signal stopped it.
"""

import sys
import warnings
from collections.abc import Sequence

import click

from tikitaka import _core
from tikitaka._core import __version__
from tikitaka._internal.shown import shortened
from tikitaka.cli.assess import assess
from tikitaka.cli.cost import cost
from tikitaka.cli.demo import demo
from tikitaka.cli.devices import devices
from tikitaka.cli.evaluate import evaluate
from tikitaka.cli.extract import extract
from tikitaka.cli.fit import fit
from tikitaka.cli.output import Signalled
from tikitaka.cli.plot import plot
from tikitaka.cli.predict import predict
from tikitaka.cli.reproduce import reproduce
from tikitaka.cli.sample import sample
from tikitaka.cli.streams import discard_output, take_every_character
from tikitaka.cli.train import train
from tikitaka.cli.tune import tune

__all__ = ["main", "tikitaka"]


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tikitaka")
@click.pass_context
def tikitaka(context: click.Context) -> None:
    """Train neural networks on simulated noisy analog hardware."""
    _core.simd()  # refuses an unknown TIKITAKA_SIMD before any file is created
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for command in (demo, train, tune, evaluate, extract, predict, sample, cost, devices, plot, fit, assess, reproduce):
    tikitaka.add_command(command)


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its status."""
    take_every_character()
    with warnings.catch_warnings():
        warnings.showwarning = _warned  # type: ignore[assignment]
        status = _status(args)
    sys.exit(status)


def _status(args: Sequence[str] | None) -> int:
    try:
        result = tikitaka.main(args, prog_name="tikitaka", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()  # here, where an error still has a status
        return result if isinstance(result, int) else 0
    except click.ClickException as error:
        _say(error.format_message())
        return error.exit_code
    except Signalled as stopped:
        _say(str(stopped))
        return stopped.exit_code
    except (click.Abort, KeyboardInterrupt):
        _say("stopped")
        return 130
    except BrokenPipeError:  # as in `tikitaka predict RUN | head`
        discard_output()
        return 1
    except (ValueError, TypeError, OSError) as error:
        _say(_words(error))
        if _of_output(error):
            discard_output()
            return 1
        return 2  # nothing has run yet, so the input is bad
    except (RuntimeError, ArithmeticError, MemoryError) as error:
        _say(_words(error) or "there is not enough memory")
        return 1


def _of_output(error: Exception) -> bool:
    """Whether standard output could not be written: it is the only file without a name."""
    return isinstance(error, OSError) and error.errno is not None and error.filename is None


def _words(error: Exception) -> str:
    if _of_output(error):
        return f"standard output: {error.strerror}"  # type: ignore[attr-defined]
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _warned(message: Warning | str, *_: object) -> None:
    _say(f"warning: {message}")


def _say(message: str) -> None:
    click.echo(f"tikitaka: {shortened(' '.join(message.split()))}", err=True)
