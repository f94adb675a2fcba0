"""Models on simulated analog chips."""

from tikitaka.deployment.chip import Chip, Method, origin, program

__all__ = ["Chip", "Method", "origin", "program"]
