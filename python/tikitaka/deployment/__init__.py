"""Models on simulated analog chips."""

from tikitaka.deployment.chip import Chip, Method, program
from tikitaka.deployment.drift import Drift
from tikitaka.deployment.origin import origin

__all__ = ["Chip", "Drift", "Method", "origin", "program"]
