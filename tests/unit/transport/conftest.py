"""Fixtures of the tests of transports."""

from __future__ import annotations

import pytest

from tests.unit.transport.certificates import Certificates, make_certificates


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates of a server on loopback, and of another."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))
