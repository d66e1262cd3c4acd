"""What of assets rests on the database: grants once, references that protect, pages that join."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.postgres.engine import open_engine, sessions_of
from adapters.postgres.media import PostgresAssets, PostgresAssetViews
from adapters.system.ids import UuidV7Ids
from application.ports.media import CleanGrant
from domain.media.asset import Asset, AssetInUse, AssetPurpose, AssetState, Media
from domain.shared.errors import NotFound

IDS = UuidV7Ids()
START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
async def sessions(clean_database: str) -> AsyncIterator[async_sessionmaker[AsyncSession]]:
    engine = open_engine(clean_database)
    yield sessions_of(engine)
    await engine.dispose()


def asset(owner_id: UUID, *, minute: int = 0, purpose: AssetPurpose = AssetPurpose.AVATAR) -> Asset:
    asset_id = IDS.new()
    return Asset(
        id=asset_id,
        owner_id=owner_id,
        purpose=purpose,
        content_type="image/png",
        width=10,
        height=20,
        size_bytes=300,
        sha256="0" * 64,
        clean_key=f"assets/{asset_id}/clean.png",
        preview_key=f"assets/{asset_id}/preview.jpeg",
        thumbnail_key=f"assets/{asset_id}/thumbnail.jpeg",
        created_at=START + timedelta(minutes=minute),
    )


async def stored(sessions: async_sessionmaker[AsyncSession], *assets: Asset) -> None:
    async with sessions() as session:
        session.add_all(assets)
        await session.commit()


async def test_an_asset_comes_back_as_it_was(
    sessions: async_sessionmaker[AsyncSession],
) -> None:
    kept = asset(IDS.new())
    await stored(sessions, kept)
    async with sessions() as session:
        found = await PostgresAssets(session).get(kept.id)
    values = {name: value for name, value in vars(found).items() if not name.startswith("_")}
    assert values == {name: value for name, value in vars(kept).items() if not name.startswith("_")}
    assert found.purpose is AssetPurpose.AVATAR
    assert found.state is AssetState.READY


async def test_a_grant_counts_once_per_order(sessions: async_sessionmaker[AsyncSession]) -> None:
    kept, buyer, order = asset(IDS.new()), IDS.new(), IDS.new()
    await stored(sessions, kept)
    grant = CleanGrant(asset_id=kept.id, user_id=buyer, order_id=order)
    for expected in (1, 0):
        async with sessions() as session:
            assert await PostgresAssets(session).grant_clean([grant]) == expected
            await session.commit()
    async with sessions() as session:
        assert await PostgresAssets(session).grantees(kept.id) == {buyer}
        assert await PostgresAssets(session).grant_clean([]) == 0


async def test_a_granted_asset_cannot_be_removed(
    sessions: async_sessionmaker[AsyncSession],
) -> None:
    kept = asset(IDS.new())
    await stored(sessions, kept)
    async with sessions() as session:
        assets = PostgresAssets(session)
        await assets.grant_clean(
            [CleanGrant(asset_id=kept.id, user_id=IDS.new(), order_id=IDS.new())]
        )
        with pytest.raises(AssetInUse):
            await assets.remove(await assets.get(kept.id))


async def test_a_removed_asset_is_gone(sessions: async_sessionmaker[AsyncSession]) -> None:
    kept = asset(IDS.new())
    await stored(sessions, kept)
    async with sessions() as session:
        assets = PostgresAssets(session)
        await assets.remove(await assets.get(kept.id))
        await session.commit()
    async with sessions() as session:
        with pytest.raises(NotFound):
            await PostgresAssets(session).get(kept.id)


async def test_pages_join_without_gap_or_repetition(
    sessions: async_sessionmaker[AsyncSession],
) -> None:
    owner = IDS.new()
    mine = [asset(owner, minute=minute // 2) for minute in range(7)]
    hidden = asset(owner)
    hidden.state = AssetState.HIDDEN
    await stored(sessions, *mine, hidden, asset(IDS.new()))
    views = PostgresAssetViews(sessions)
    seen: list[Asset] = []
    before = None
    while page := await views.page(owner, purpose=None, media=None, before=before, limit=3):
        seen.extend(page)
        before = (page[-1].created_at, page[-1].id)
    expected = sorted(mine, key=lambda a: (a.created_at, a.id), reverse=True)
    assert [found.id for found in seen] == [found.id for found in expected]


async def test_a_page_can_be_of_one_purpose(sessions: async_sessionmaker[AsyncSession]) -> None:
    owner = IDS.new()
    banner = asset(owner, purpose=AssetPurpose.BANNER)
    await stored(sessions, asset(owner), banner)
    views = PostgresAssetViews(sessions)
    page = await views.page(owner, purpose=AssetPurpose.BANNER, media=None, before=None, limit=5)
    assert [found.id for found in page] == [banner.id]


async def test_the_objects_of_assets_are_told(sessions: async_sessionmaker[AsyncSession]) -> None:
    kept = asset(IDS.new())
    await stored(sessions, kept)
    views = PostgresAssetViews(sessions)
    assert await views.keys_of({kept.id, IDS.new()}) == set(kept.keys)
    assert await views.keys_of(set()) == set()


async def test_assets_are_filtered_by_their_kind_of_media(
    sessions: async_sessionmaker[AsyncSession],
) -> None:
    owner = IDS.new()
    film = asset(owner, purpose=AssetPurpose.BANNER)
    film.media, film.duration_ms, film.width, film.height = Media.VIDEO, 1500, None, None
    film.preview_key, film.thumbnail_key, film.name = None, None, "Trailer.mp4"
    await stored(sessions, film, asset(owner, purpose=AssetPurpose.BANNER), asset(owner, minute=1))
    views = PostgresAssetViews(sessions)
    for purpose in (None, AssetPurpose.BANNER):
        page = await views.page(owner, purpose=purpose, media=Media.VIDEO, before=None, limit=5)
        assert [found.id for found in page] == [film.id]
    assert (page[0].duration_ms, page[0].name) == (1500, "Trailer.mp4")


async def test_an_image_has_a_size_in_pixels(sessions: async_sessionmaker[AsyncSession]) -> None:
    flat = asset(IDS.new())
    flat.width, flat.height = None, None
    with pytest.raises(IntegrityError, match="ck_assets_pixels"):
        await stored(sessions, flat)
