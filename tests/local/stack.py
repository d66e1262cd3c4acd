"""`python -m tests.local.stack FOLDER PORT [PART …]`: a small stack to be ended.

PART is `postgres`, `stubborn` or `leader`. Runs until a signal comes, as `likeness up` does, but
without the application.
"""

import asyncio
import sys
from pathlib import Path

from entrypoints.local.child import Process
from entrypoints.local.errors import LocalError
from entrypoints.local.ports import choose_port
from entrypoints.local.postgres import EmbeddedPostgres
from entrypoints.local.redis import EmbeddedRedis
from entrypoints.local.supervisor import Part, Supervisor

_SERVE = "import http.server as s; s.HTTPServer(('127.0.0.1', {port}), s.{handler}).serve_forever()"

_SLEEP = "import time; time.sleep(600)"
_LEAD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', '{_SLEEP}'])"
"""As the API does: a process that only leads, and another that serves and shares its output."""


def tell(name: str, line: str) -> None:
    sys.stdout.write(f"{name}: {line}\n")
    sys.stdout.flush()


async def for_ever() -> None:
    tell("test", "up")
    await asyncio.Event().wait()


def main() -> None:
    folder = Path(sys.argv[1])
    try:
        port = choose_port("127.0.0.1", int(sys.argv[2]), variable="LIKENESS_PORT")
        serve = _SERVE.format(port=port, handler="SimpleHTTPRequestHandler")
        servers: list[Part] = [EmbeddedRedis(folder / "redis")]
        if "postgres" in sys.argv:
            servers.append(EmbeddedPostgres(folder / "postgres", durable=False))
        once = Process(name="once", argv=(sys.executable, "-c", "print('migrated')"), restart=False)
        parts: list[Part] = [
            Process(
                name="web",
                argv=(sys.executable, "-c", serve),
                ready=f"http://127.0.0.1:{port}/",
            ),
        ]
        if "stubborn" in sys.argv:
            ignore = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(99)"
            parts.append(Process(name="stubborn", argv=(sys.executable, "-c", ignore), grace_s=0.5))
        if "leader" in sys.argv:
            parts.append(Process(name="leader", argv=(sys.executable, "-c", _LEAD)))
        supervisor = Supervisor(folder, [servers, [once], parts], tell=tell)
        asyncio.run(supervisor.run(for_ever, facts={"base_url": f"http://127.0.0.1:{port}"}))
    except LocalError as error:
        tell("error", str(error))
        sys.exit(1)


if __name__ == "__main__":
    main()
