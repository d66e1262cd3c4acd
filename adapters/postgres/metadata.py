"""The one metadata that all tables belong to, and the column types they share."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, MetaData, Text, Uuid
from sqlalchemy.orm import registry

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

mappers = registry(metadata=metadata)
"""Aggregates are mapped imperatively: the domain does not know that it is stored."""


INSTANT = DateTime(timezone=True)
"""Aware datetimes in and out; sessions run in UTC."""


def id_column(name: str = "id", **options: Any) -> Column[UUID]:
    return Column(name, Uuid(), primary_key=True, **options)


def instant(name: str, *, nullable: bool = False, **options: Any) -> Column[datetime]:
    return Column(name, INSTANT, nullable=nullable, **options)


def cents(name: str, *constraints: Any, **options: Any) -> Column[int]:
    """An amount in minor units; every table that has one has a `currency` too."""
    return Column(name, BigInteger, *constraints, nullable=False, **options)


def text(name: str, *constraints: Any, nullable: bool = False, **options: Any) -> Column[str]:
    return Column(name, Text, *constraints, nullable=nullable, **options)
