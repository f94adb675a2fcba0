"""Digital models: read from the hardware, and saved to files, programmed onto chips or exported."""

from tikitaka.model.model import Model

__all__ = ["Model"]
