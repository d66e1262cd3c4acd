"""`python -m entrypoints.sandbox --port 0`: serve the sandbox, first saying where."""

import argparse
import os
import sys

import msgspec

from entrypoints.sandbox.config import SandboxConfig
from entrypoints.sandbox.server import free_port, serve


def main() -> None:
    given = vars(_arguments())
    host, port = given.pop("host"), given.pop("port")
    _leave_out_optional_imports()
    port = port or free_port(host)
    settings = {"base_url": f"http://{host}:{port}"}
    settings |= {name: value for name, value in given.items() if value is not None}
    config = msgspec.convert(settings, SandboxConfig)
    sys.stdout.write(f"sandbox listening on {config.base_url}\n")
    sys.stdout.flush()
    serve(config, port, host)
    # The server's native threads may still be calling into an interpreter that is going away.
    os._exit(0)


def _arguments() -> argparse.Namespace:
    """Every setting is an option: `--stripe-webhook-url`, `--fal-key`, ..."""
    parser = argparse.ArgumentParser(prog="python -m entrypoints.sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=12111, help="0 chooses a free one")
    for field in msgspec.structs.fields(SandboxConfig):
        parser.add_argument("--" + field.name.replace("_", "-"), type=field.type, default=None)
    return parser.parse_args()


def _leave_out_optional_imports() -> None:
    """Litestar imports an ORM and pydantic where they are installed: 1.5 s that nobody uses here.

    None in `sys.modules` is an absent module to the import system.
    """
    for name in ("advanced_alchemy", "pydantic"):
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
