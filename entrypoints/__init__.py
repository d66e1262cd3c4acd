"""The doors.

Litestar imports advanced-alchemy, and httpx a command line with colours, wherever they happen to be
installed: half of the time that a process takes to start, for nothing that is used here. None in
`sys.modules` is an absent module to the import system.
"""

import sys

for _name in ("advanced_alchemy", "httpx._main"):
    sys.modules.setdefault(_name, None)  # type: ignore[arg-type]
