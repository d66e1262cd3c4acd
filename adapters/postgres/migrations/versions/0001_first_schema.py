"""The first schema: tables, constraints, indexes, and the triggers that guard the books.

It is written as SQL, in the file beside this one: what a database was made from must not change
when the code that describes tables does. Statements are separated by blank lines.
"""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None

_SQL = Path(__file__).with_suffix(".sql").read_text()


def upgrade() -> None:
    for statement in _SQL.split("\n\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    tables = op.get_bind().exec_driver_sql(
        "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() "
        "AND tablename <> 'schema_version'"
    )
    names = ", ".join(f'"{name}"' for (name,) in tables)
    op.get_bind().exec_driver_sql(f"DROP TABLE {names} CASCADE")
    op.get_bind().exec_driver_sql(
        "DROP FUNCTION ledger_is_append_only, ledger_transaction_balances, "
        "ledger_entries_balance, legs_total_cents CASCADE"
    )
