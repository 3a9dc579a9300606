"""What is used of hypothesis, which is an extra."""

from __future__ import annotations

try:
    from hypothesis import HealthCheck, Phase, given, reject, settings
    from hypothesis import strategies as st
    from hypothesis.errors import InvalidArgument
except ImportError as missing:
    raise ImportError(
        'logicaldb.testing.strategies and .laws need hypothesis: pip install "logicaldb[testing]"'
    ) from missing

__all__ = ["HealthCheck", "InvalidArgument", "Phase", "given", "reject", "settings", "st"]
