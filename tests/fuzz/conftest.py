"""A cloud of its own for tests that try to break one."""

from tests.fidelity.conftest import cloud, gateway

__all__ = ["cloud", "gateway"]
