"""Digital models: what comes out of the hardware and goes into a file, a chip or another framework."""

from tikitaka.model.model import Model

__all__ = ["Model"]
