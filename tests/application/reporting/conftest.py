"""The money core over PostgreSQL, for the figures that are made of it."""

from tests.application.ordering.conftest import desk

__all__ = ["desk"]
