"""CSV that programs read and spreadsheets do not run."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from application.ports.documents import Cell
from application.reporting.csv import csv_file, encode_rows, stream_csv


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"])
def test_text_that_would_run_as_a_formula_is_only_shown(start: str) -> None:
    assert encode_rows([[f"{start}1+1"]]) == f"'{start}1+1\r\n".encode()


def test_numbers_stay_numbers_and_instants_are_in_utc() -> None:
    at = datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert encode_rows([[-5, None, at]]) == b"-5,,2026-03-02T12:00:00Z\r\n"


def test_commas_quotes_and_lines_are_quoted() -> None:
    assert encode_rows([['a,"b"\nc']]) == b'"a,""b""\nc"\r\n'


async def test_a_stream_begins_with_the_mark_and_the_heading() -> None:
    async def batches() -> AsyncIterator[list[list[int]]]:
        yield [[1], [2]]
        yield []
        yield [[3]]

    parts = [part async for part in stream_csv(["n"], batches())]
    assert b"".join(parts) == b"\xef\xbb\xbfn\r\n1\r\n2\r\n3\r\n"


async def test_a_file_of_many_rows_is_the_stream_of_them() -> None:
    rows: list[list[Cell]] = [[number, f"row {number}"] for number in range(12_345)]

    async def batches() -> AsyncIterator[list[list[Cell]]]:
        yield rows

    streamed = [part async for part in stream_csv(["n", "text"], batches())]
    assert await csv_file(["n", "text"], rows) == b"".join(streamed)
