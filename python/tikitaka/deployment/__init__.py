"""Models on simulated analog chips."""

from tikitaka.deployment.chip import Chip, Method, program
from tikitaka.deployment.origin import origin

__all__ = ["Chip", "Method", "origin", "program"]
