"""Will my device train this network, what limits it, and what must improve? Trainings that answer, and their report."""

from tikitaka.assessment.report import Assessment
from tikitaka.assessment.run import assess

__all__ = ["Assessment", "assess"]
