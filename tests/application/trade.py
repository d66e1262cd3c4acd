"""A market over dicts and a payment provider in memory, with a short way to each door."""

from dataclasses import dataclass, field
from uuid import UUID

from adapters.memory.payments import MemoryPaymentProvider
from adapters.memory.seals import MemorySeals
from adapters.memory.system import CountingIds, ManualClock
from adapters.memory.taxes import MemoryTaxes
from adapters.memory.unit_of_work import MemoryDatabase, MemoryUnitOfWork
from application.catalogue import products
from application.catalogue.products import CreateProduct, ProductView, UpdateProduct
from application.catalogue.stores import OpenStore, StoreView, open_store
from application.creators.profile import CreateCreator, CreatorProfile, create_creator
from application.ledger import payees
from application.ledger.payees import Onboarding, PayeeView, StartOnboarding
from application.licensing import consents, terms
from application.licensing.consents import ConsentRecord, SignConsent
from application.licensing.terms import PublishTerms
from application.licensing.terms_view import TermsView
from application.moderation.judging import Moderation
from application.ordering.checkout import CartItem, CheckoutStarted, StartCheckout, start_checkout
from application.ordering.wishes import Shopper
from domain.identity.actor import Actor
from domain.licensing.consent import ConsentUse
from domain.licensing.terms import LicenceTerms, ProductType
from tests.builders import FEES, NOON, Market, actor, generation, market
from tests.moderating import moderation_for


@dataclass
class Trade:
    database: MemoryDatabase = field(default_factory=MemoryDatabase)
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOON))
    ids: CountingIds = field(default_factory=CountingIds)
    taxes: MemoryTaxes = field(default_factory=MemoryTaxes)
    seals: MemorySeals = field(default_factory=MemorySeals)
    provider: MemoryPaymentProvider = field(init=False)
    moderation: Moderation = field(init=False)

    def __post_init__(self) -> None:
        self.provider = MemoryPaymentProvider(self.clock)
        self.moderation = moderation_for(self.clock, self.ids)

    def uow(self) -> MemoryUnitOfWork:
        return MemoryUnitOfWork(self.database)

    async def market(
        self,
        *,
        licence: LicenceTerms | None = None,
        stock: int | None = None,
        prices_cents: tuple[int, ...] = (2500,),
    ) -> Market:
        return await market(self.uow(), licence=licence, stock=stock, prices_cents=prices_cents)

    # Creators and their licences.

    async def become_creator(self, who: Actor, slug: str = "ada-lace") -> CreatorProfile:
        command = CreateCreator(slug=slug, display_name="Ada")
        return await create_creator(
            command,
            actor=who,
            uow=self.uow(),
            clock=self.clock,
            ids=self.ids,
            moderation=self.moderation,
        )

    async def publish_terms(
        self, creator_id: UUID, command: PublishTerms, *, who: Actor
    ) -> TermsView:
        return await terms.publish_terms(
            creator_id, command, actor=who, uow=self.uow(), clock=self.clock, ids=self.ids
        )

    async def sign(self, creator_id: UUID, *uses: ConsentUse, who: Actor) -> ConsentRecord:
        command = SignConsent(
            text_version="2026-11", uses=list(uses), signer_name="Ada", adult=True
        )
        return await consents.sign_consent(
            creator_id, command, actor=who, uow=self.uow(), clock=self.clock, ids=self.ids
        )

    async def withdraw(self, creator_id: UUID, consent_id: UUID, *, who: Actor) -> ConsentRecord:
        return await consents.withdraw_consent(
            creator_id, consent_id, actor=who, uow=self.uow(), clock=self.clock
        )

    # Payees.

    async def onboard(self, payee_id: UUID, *, who: Actor) -> Onboarding:
        command = StartOnboarding(
            refresh_url="https://shop.example/again", return_url="https://shop.example/back"
        )
        return await payees.start_onboarding(
            payee_id, command, actor=who, uow=self.uow(), accounts=self.provider.accounts
        )

    async def show_payee(self, payee_id: UUID, *, who: Actor) -> PayeeView:
        return await payees.show_payee(
            payee_id,
            actor=who,
            uow=self.uow(),
            accounts=self.provider.accounts,
            clock=self.clock,
        )

    async def refresh_account(self, account_id: str) -> None:
        await payees.refresh_account(
            account_id, uow=self.uow(), accounts=self.provider.accounts, clock=self.clock
        )

    async def make_unpayable(self, payee_id: UUID) -> None:
        async with self.uow() as uow:
            (await uow.payees.get(payee_id)).transfers_active = False
            await uow.commit()

    # Stores and products.

    async def open_store(self, who: Actor, slug: str = "prints") -> StoreView:
        command = OpenStore(name="Prints", slug=slug)
        return await open_store(
            command,
            actor=who,
            uow=self.uow(),
            clock=self.clock,
            ids=self.ids,
            moderation=self.moderation,
        )

    async def draft(
        self,
        shop: Market,
        *,
        prompt: str = "a portrait",
        title: str = "A shirt",
        description: str = "",
        price_cents: int = 2500,
        currency: str = "usd",
        product_type: ProductType = ProductType.SHIRT,
        stock: int | None = None,
    ) -> ProductView:
        made = await generation(self.uow(), shop, prompt=prompt)
        command = CreateProduct(
            generation_id=made.id,
            product_type=product_type,
            title=title,
            description=description,
            price_cents=price_cents,
            currency=currency,
            stock=stock,
        )
        return await self.create_product(shop.store.id, command, who=owner_of(shop))

    async def create_product(
        self, store_id: UUID, command: CreateProduct, *, who: Actor
    ) -> ProductView:
        return await products.create_product(
            store_id,
            command,
            actor=who,
            uow=self.uow(),
            clock=self.clock,
            ids=self.ids,
            fees=FEES,
            moderation=self.moderation,
        )

    async def publish(self, product_id: UUID, *, who: Actor) -> ProductView:
        return await products.publish_product(
            product_id,
            actor=who,
            uow=self.uow(),
            clock=self.clock,
            ids=self.ids,
            fees=FEES,
        )

    async def unpublish(self, product_id: UUID, *, who: Actor) -> ProductView:
        return await products.unpublish_product(
            product_id, actor=who, uow=self.uow(), clock=self.clock, fees=FEES
        )

    async def update(self, product_id: UUID, command: UpdateProduct, *, who: Actor) -> ProductView:
        return await products.update_product(
            product_id,
            command,
            actor=who,
            uow=self.uow(),
            clock=self.clock,
            ids=self.ids,
            fees=FEES,
            moderation=self.moderation,
        )

    async def show(self, product_id: UUID, *, who: Actor) -> ProductView:
        return await products.show_product(
            product_id, actor=who, uow=self.uow(), clock=self.clock, fees=FEES
        )

    async def check_out(
        self, *items: tuple[UUID, int], who: Actor | None = None, key: str = "k"
    ) -> CheckoutStarted:
        command = StartCheckout(
            items=[CartItem(product_id=p, quantity=quantity) for p, quantity in items],
            success_url="https://shop.example/ok",
            cancel_url="https://shop.example/no",
        )
        return await start_checkout(
            command,
            request_key=key,
            shopper=Shopper(actor=who or actor()),
            uow=self.uow(),
            payments=self.provider.payments,
            clock=self.clock,
            ids=self.ids,
            taxes=self.taxes,
            seals=self.seals,
            fees=FEES,
        )


def owner_of(shop: Market) -> Actor:
    """The store's owner, who is no administrator."""
    return Actor(shop.owner.id, shop.owner.roles)


def creator_of(shop: Market) -> Actor:
    return Actor(shop.creator_user.id, shop.creator_user.roles)
