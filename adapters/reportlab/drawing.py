"""How a paper is set: title, facts, tables that go on over pages, notes, page numbers.

The typeface is embedded, so that Latin, Greek and Cyrillic names look the same everywhere. The
file names no moment but the document's own, and its id follows from its content.
"""

import io
import os
from collections.abc import Sequence
from pathlib import Path

from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import simpleSplit
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from application.ports.documents import Column, Document, Section

_FONTS = Path(__file__).with_name("fonts")
_PLAIN, _BOLD = "DejaVuSans", "DejaVuSans-Bold"
_WIDTH, _HEIGHT = A4
_MARGIN = 42.0
_SIZE = 8.0
_LEADING = 10.5
_GAP = 5.0
_INK, _GREY, _LINE = (0.1, 0.1, 0.12), (0.42, 0.42, 0.46), (0.8, 0.8, 0.83)


def draw(document: Document) -> bytes:
    for name in (_PLAIN, _BOLD):
        if name not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(name, str(_FONTS / f"{name}.ttf")))
    # An invariant canvas takes its only date from here; a worker draws one paper at a time.
    os.environ["SOURCE_DATE_EPOCH"] = str(int(document.made_at.timestamp()))
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=1, pageCompression=1)
    canvas.setTitle(document.title)
    canvas.setCreator("Likeness")
    canvas.setAuthor("")
    _Paper(canvas, document).set()
    canvas.save()
    return out.getvalue()


class _Paper:
    def __init__(self, canvas: Canvas, document: Document) -> None:
        self._canvas = canvas
        self._document = document
        self._page = 1
        self._y = _HEIGHT - _MARGIN

    def set(self) -> None:
        self._text(_MARGIN, self._document.title, font=_BOLD, size=15)
        self._y -= 24
        for name, value in self._document.facts:
            self._fact(name, value)
        for section in self._document.sections:
            self._section(section)
        self._y -= _GAP
        for note in self._document.notes:
            for line in simpleSplit(note, _PLAIN, _SIZE, _WIDTH - 2 * _MARGIN):
                self._room(_LEADING)
                self._text(_MARGIN, line, ink=_GREY)
                self._y -= _LEADING
        self._end_page()

    def _fact(self, name: str, value: str) -> None:
        lines = simpleSplit(value, _PLAIN, _SIZE, _WIDTH - 2 * _MARGIN - 130) or [""]
        self._room(_LEADING * len(lines))
        self._text(_MARGIN, name, ink=_GREY)
        for line in lines:
            self._text(_MARGIN + 130, line)
            self._y -= _LEADING

    def _section(self, section: Section) -> None:
        self._y -= 14
        self._room(5 * _LEADING)
        self._text(_MARGIN, section.heading, font=_BOLD, size=10)
        self._y -= 15
        self._titles(section.columns)
        first_total = len(section.rows) - section.totals
        for number, row in enumerate(section.rows):
            if number == first_total and section.totals:
                self._rule()
            self._row(section.columns, row, font=_BOLD if number >= first_total else _PLAIN)

    def _titles(self, columns: Sequence[Column]) -> None:
        self._cells(columns, [[column.title] for column in columns], ink=_GREY)
        self._y -= _LEADING
        self._rule()

    def _row(self, columns: Sequence[Column], row: Sequence[str], *, font: str) -> None:
        cells = [
            simpleSplit(cell, font, _SIZE, width - _GAP) or [""]
            for cell, (_, width) in zip(row, _places(columns), strict=True)
        ]
        height = _LEADING * max(len(cell) for cell in cells)
        if self._room(height):
            self._titles(columns)
        self._cells(columns, cells, font=font)
        self._y -= height

    def _cells(
        self,
        columns: Sequence[Column],
        cells: Sequence[Sequence[str]],
        *,
        font: str = _PLAIN,
        ink: tuple[float, float, float] = _INK,
    ) -> None:
        for column, cell, (left, width) in zip(columns, cells, _places(columns), strict=True):
            for number, line in enumerate(cell):
                y = self._y - number * _LEADING
                self._canvas.setFont(font, _SIZE)
                self._canvas.setFillColorRGB(*ink)
                if column.right:
                    self._canvas.drawRightString(left + width - _GAP, y, line)
                else:
                    self._canvas.drawString(left, y, line)

    def _text(
        self,
        x: float,
        line: str,
        *,
        font: str = _PLAIN,
        size: float = _SIZE,
        ink: tuple[float, float, float] = _INK,
    ) -> None:
        self._canvas.setFont(font, size)
        self._canvas.setFillColorRGB(*ink)
        self._canvas.drawString(x, self._y, line)

    def _rule(self) -> None:
        self._canvas.setStrokeColorRGB(*_LINE)
        self._canvas.line(_MARGIN, self._y + 7, _WIDTH - _MARGIN, self._y + 7)
        self._y -= 3

    def _room(self, height: float) -> bool:
        """Whether a new page had to begin."""
        if self._y - height >= _MARGIN + 14:
            return False
        self._end_page()
        self._y = _HEIGHT - _MARGIN
        self._page += 1
        return True

    def _end_page(self) -> None:
        self._canvas.setFont(_PLAIN, 7)
        self._canvas.setFillColorRGB(*_GREY)
        self._canvas.drawString(_MARGIN, _MARGIN - 12, self._document.title)
        self._canvas.drawRightString(_WIDTH - _MARGIN, _MARGIN - 12, str(self._page))
        self._canvas.showPage()


def _places(columns: Sequence[Column]) -> list[tuple[float, float]]:
    """Left edge and width of each column."""
    unit = (_WIDTH - 2 * _MARGIN) / sum(column.share for column in columns)
    places, left = [], _MARGIN
    for column in columns:
        places.append((left, column.share * unit))
        left += column.share * unit
    return places
