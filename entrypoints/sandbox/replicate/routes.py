"""Where replicate is played."""

from litestar import Router

from entrypoints.sandbox.config import SandboxConfig
from entrypoints.sandbox.delivery import Delivery
from entrypoints.sandbox.failures import Failures


def create_router(config: SandboxConfig, delivery: Delivery, failures: Failures) -> Router:
    return Router("/replicate", route_handlers=[])
