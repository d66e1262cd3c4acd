"""The files of an order: what its buyer, or the guest whose token names it, may have of it.

A paid order gives a right to the clean copy of each image in it. The right ends where a revocation
for safety or law takes the copy back, and where all that was paid for it has gone back: then the
buyer has the money and not the copy.
"""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from application.media.delivery import PreviewUrls, preview_urls
from application.ports.storage import ObjectStorage
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.media.asset import Asset
from domain.ordering.order import NotPaid, Order, OrderLine, PaymentStatus
from domain.shared.errors import NotFound


class OrderFile(msgspec.Struct, frozen=True, kw_only=True):
    """`available`: `GET /assets/{asset_id}` answers a link to the clean copy, in the buyer's name
    or under the order's token. What was taken back shows nothing. Figures are the clean copy's."""

    asset_id: UUID
    line_ids: list[UUID]
    title: str
    content_type: str
    width: int | None
    height: int | None
    size_bytes: int
    sha256: str
    available: bool
    preview_url: str | None
    thumbnail_url: str | None


async def list_files(
    order_id: UUID, *, actor: Actor, uow: UnitOfWork, storage: ObjectStorage
) -> list[OrderFile]:
    """In order of the lines, each image once. Raises NotPaid, and NotFound for anybody else."""
    async with uow:
        order = await uow.orders.get(order_id)
        if actor.user_id != order.reader_id:
            raise NotFound("order", order_id)
        if order.payment_status is not PaymentStatus.PAID:
            raise NotPaid("The order has not been paid: its files are there once it is.")
        lines = _by_asset(order)
        assets = {asset.id: asset for asset in await uow.assets.many(list(lines))}
        given = await uow.assets.granted(order.reader_id, list(lines))
    return [
        _file(
            assets[asset_id],
            lines[asset_id],
            await preview_urls(assets[asset_id], storage=storage) if asset_id in given else None,
        )
        for asset_id in lines
    ]


async def withdraw_paid_back(order: Order, *, uow: UnitOfWork) -> int:
    """Take back the copies for which nothing of the payment is left; answers how many.

    The caller holds the order's row and has counted what went back.
    """
    gone = {
        asset_id for asset_id, lines in _by_asset(order).items() if all(map(_is_paid_back, lines))
    }
    return await uow.assets.withdraw_clean(order.id, gone) if gone else 0


def _is_paid_back(line: OrderLine) -> bool:
    """What cost nothing cannot be paid back, and stays."""
    return 0 < line.total_cents <= line.gone_cents


def _by_asset(order: Order) -> dict[UUID, list[OrderLine]]:
    lines: dict[UUID, list[OrderLine]] = {}
    for line in order.lines:
        lines.setdefault(line.asset_id, []).append(line)
    return lines


def _file(asset: Asset, lines: Sequence[OrderLine], urls: PreviewUrls | None) -> OrderFile:
    return OrderFile(
        asset_id=asset.id,
        line_ids=[line.id for line in lines],
        title=lines[0].title,
        content_type=asset.content_type,
        width=asset.width,
        height=asset.height,
        size_bytes=asset.size_bytes,
        sha256=asset.sha256,
        available=urls is not None,
        preview_url=urls.preview_url if urls else None,
        thumbnail_url=urls.thumbnail_url if urls else None,
    )
