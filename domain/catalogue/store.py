"""A store: where things made under creators' licences are sold."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.catalogue.shipping import ShippingOption


@dataclass(eq=False, kw_only=True)
class Store:
    """`id` is also the id of the store's payee. Members of `team_id` act for it as well.

    Without `shipping_options` it ships at its own expense.
    """

    id: UUID
    owner_id: UUID
    slug: str
    name: str
    description: str
    created_at: datetime
    team_id: UUID | None = None
    shipping_options: tuple[ShippingOption, ...] = ()
    version: int = 1
