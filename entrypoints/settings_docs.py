"""`docs/settings.md`, made from the fields of `Settings`, so that it cannot disagree with them."""

from entrypoints.settings import Spec, specs, variable_of

_INTRODUCTION = """\
# Settings

Set them in the environment, or in a file `.env` in the folder you start from; the environment wins.
`likeness settings show` prints the values in force (secrets hidden), `likeness doctor` tries them
out. All problems are reported at once, each with what to do.

This page is written by `likeness settings docs`; change the fields in `entrypoints/settings.py`
instead.

| Variable | Meaning | Default | Example |
|---|---|---|---|
"""


def settings_page() -> str:
    return _INTRODUCTION + "".join(_row(name, spec) for name, spec in specs().items())


def _row(name: str, spec: Spec) -> str:
    default = spec.default_shown or (f"`{spec.default}`" if spec.default else "–")
    example = f"`{spec.example}`" if spec.example else ""
    doc = spec.doc + (" *Secret.*" if spec.secret else "")
    return f"| `{variable_of(name)}` | {doc} | {default} | {example} |\n"
