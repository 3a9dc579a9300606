"""The fixtures of tests that have both engines side by side."""

from __future__ import annotations

from tests.integration.deviating import engines

__all__ = ["engines"]
