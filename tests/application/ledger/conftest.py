"""The books over PostgreSQL, for every test of this folder that asks for them."""

from tests.application.ledger.books import books

__all__ = ["books"]
