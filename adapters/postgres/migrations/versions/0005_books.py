"""The books by month and by day: partitions, closed and sealed days, checkpoints, write-offs.

Entries are partitioned by the month of the day they are posted on. What finds no month goes to
`ledger_entries_unplaced` and is moved when its month is made, so that no posting ever fails for
want of a table. The SQL is in the file beside this one; statements are separated by blank lines.
"""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"

_UP = Path(__file__).with_suffix(".up.sql").read_text()
_DOWN = Path(__file__).with_suffix(".down.sql").read_text()


def upgrade() -> None:
    _run(_UP)


def downgrade() -> None:
    _run(_DOWN)


def _run(script: str) -> None:
    for statement in script.split("\n\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)
