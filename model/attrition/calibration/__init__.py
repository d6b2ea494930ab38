"""Whether the intervals hold what they promise: simulation-based calibration and coverage over simulated campaigns."""

from .ranks import RankTest, rank_test
from .run import Calibration, calibrate, write_summary

__all__ = ["Calibration", "RankTest", "calibrate", "rank_test", "write_summary"]
