"""Every public function and constructor with wrong, odd and huge arguments works or raises a clear error.

`make test` tries a few fixed examples of each; HYPOTHESIS_PROFILE=long pytest tests/robustness tries more.
"""

import contextlib
import faulthandler
import importlib
import inspect
import os
import resource
import tempfile
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tikitaka as tt
from support.calls import CALLS, SMALL, state
from support.hostile import anything, near
from tikitaka import experiments
from tikitaka.training import checkpoint

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
EXAMPLES = 1000 if LONG else 60
SLOW = 8  # factor by which slow calls (pictures, trainings) get fewer examples
MODULES = [
    "tikitaka",
    *(
        f"tikitaka.{name}"
        for name in ["config", "data", "experiments", "export", "model.extract", "nn", "plot", "training.checkpoint"]
    ),
]
# Names without arguments to test: abstract bases, exports that need PyTorch (tests/pytorch), generic helpers, and
# results that only our functions make.
LEFT_OUT = {
    *("DeviceFit", "Tuned", "config.DeviceFile", "plot.FittedPanels", "plot.fitted_device"),
    *("assess", "Assessment", "Assessment.write"),  # a valid call trains for minutes; tests/assessment refuses bad ones
    *("Device", "StepDevice", "RuleConfig", "TransferRule", "Rule", "nn.Layer", "nn.Sizes", "model.extract.Hardware"),
    *("export.torch_module", "export.torch_state_dict", "experiments.Study", "experiments.Option"),
}
REFUSALS = (ValueError, TypeError, OSError, MemoryError, FloatingPointError, tt.Stopped)
# These calls are refused even with valid arguments.
REFUSED = {
    *(
        "data.download",
        "experiments.draw",
        "Run.prepare",
        "plot.claim",
        "plot.energy",
        "plot.extraction",
        "plot.weight_programming",
    ),
}
# Numbers of repetitions: a huge one takes long instead of being refused.
PATIENT = {"count", "reads", "epochs", "examples", "pulses", "max_pulses", "counts", "devices", "seeds"}


def public() -> Iterator[str]:
    """Every public function and class, and the methods and settable properties of each class."""
    seen: set[int] = set()
    for module in map(importlib.import_module, MODULES):
        prefix = "" if module is tt else module.__name__.removeprefix("tikitaka.") + "."
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.ismodule(thing) or not callable(thing) or id(thing) in seen:
                continue
            seen.add(id(thing))
            yield prefix + name
            for member, value in vars(thing).items() if inspect.isclass(thing) else ():
                if member.startswith("_") or prefix + name in LEFT_OUT:
                    continue
                method = getattr(thing, member)
                if callable(method) and not (is_dataclass(thing) and member in {f.name for f in fields(thing)}):
                    given_to = inspect.signature(method).parameters
                    if set(given_to) - {"self"}:
                        yield f"{prefix}{name}.{member}"
                elif getattr(value, "fset", None) is not None:
                    yield f"{prefix}{name}.{member}"


def test_every_public_name_is_here() -> None:
    missing = sorted(set(public()) - set(CALLS) - LEFT_OUT)
    assert not missing


@pytest.fixture(scope="module", autouse=True)
def bounded() -> Iterator[None]:
    """Requests for all memory must be refused rather than tried, and nothing may hang."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (2 << 30), hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    faulthandler.cancel_dump_traceback_later()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A separate working folder, for relative paths."""
    before, inside = Path.cwd(), tmp_path_factory.mktemp("inside")
    os.chdir(inside)
    yield inside
    os.chdir(before)


@pytest.mark.parametrize("name", CALLS)
def test_the_calls_work(name: str, folder: Path) -> None:
    if name in REFUSED:
        pytest.skip("refused even so")
    call, good = CALLS[name](Path(tempfile.mkdtemp(dir=folder)))
    with contextlib.suppress(tt.Stopped):
        call(**good)


@pytest.mark.slow
@pytest.mark.parametrize("name", CALLS)
def test_works_or_refuses_in_words(name: str, folder: Path) -> None:
    slow = name.startswith(("plot.", "Run.", "fit")) and name not in {"plot.Trace", "plot.check_picture"}

    @settings(
        max_examples=EXAMPLES // SLOW if slow else EXAMPLES,
        deadline=None,
        derandomize=not LONG,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        call, kwargs = CALLS[name](Path(tempfile.mkdtemp(dir=folder)))
        known = [
            p.name
            for p in inspect.signature(call).parameters.values()
            if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
        ]
        some = st.lists(st.sampled_from(known), min_size=1, max_size=2, unique=True)
        for parameter in data.draw(some, "which") if known else ():
            huge = parameter not in PATIENT
            odd = anything(huge=huge)
            if parameter in kwargs:
                odd |= near(kwargs[parameter], huge=huge)
            kwargs[parameter] = data.draw(odd, parameter)
        faulthandler.dump_traceback_later(60, exit=True)
        failed = (RuntimeError,) if name == "experiments.sweep" else ()  # an error of the measure in a cell
        words = "worked"
        try:
            call(**kwargs)
        except REFUSALS + failed as error:
            words = str(error)
        assert words.strip()

    holds()


@pytest.mark.parametrize("dtype", [">f4", "f8", "f2"])
def test_a_checkpoint_that_is_written_can_be_read(tmp_path: Path, dtype: str) -> None:
    known = state()
    other = replace(known, state={**known.state, "0.c": known.state["0.c"].astype(dtype)})
    refusal = pytest.raises(TypeError, match="must have dtype float32 or uint64, not")
    with contextlib.nullcontext() if dtype == ">f4" else refusal:
        checkpoint.save(tmp_path, other)
        assert np.array_equal(checkpoint.load(tmp_path).state["0.c"], known.state["0.c"])


@pytest.mark.parametrize("name", ["inputs", "outputs"])
@pytest.mark.parametrize("bad", [3.0, "3", 0, True])
def test_a_checkpoint_with_sizes_that_could_not_be_read_is_not_written(tmp_path: Path, name: str, bad: object) -> None:
    with pytest.raises((TypeError, ValueError), match=f"^{name} must be "):
        checkpoint.save(tmp_path, replace(state(), **{name: bad}))
    assert not list(tmp_path.iterdir())


def test_a_sweep_on_no_number_of_threads_does_not_hang(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="threads must be a whole number, not nan"):
        experiments.sweep([tt.TrainConfig(**SMALL)], out=tmp_path / "out", threads=float("nan"))  # type: ignore[arg-type]
