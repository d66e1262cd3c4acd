"""The ports that the identity use cases get in these tests, and a front door to each."""

from dataclasses import dataclass, field

from adapters.memory.identity import CountingSecrets, MemoryAccessTokens, QuickPasswordHasher
from adapters.memory.system import CountingIds, ManualClock
from adapters.memory.unit_of_work import MemoryDatabase, MemoryUnitOfWork
from application.identity import account, registration, sign_in
from application.identity.registration import CreateAdmin, Register, SelfAssignedRole
from application.identity.sign_in import Login, Refresh, SignedIn
from domain.identity.actor import Actor
from domain.identity.session import Origin, Session, digest
from domain.identity.user import User

PASSWORD = "velvet otter drums"
LAPTOP = Origin(user_agent="Laptop", address="192.0.2.1")


@dataclass
class House:
    database: MemoryDatabase = field(default_factory=MemoryDatabase)
    clock: ManualClock = field(default_factory=ManualClock)
    ids: CountingIds = field(default_factory=CountingIds)
    secrets: CountingSecrets = field(default_factory=CountingSecrets)
    password_hasher: QuickPasswordHasher = field(default_factory=QuickPasswordHasher)
    tokens: MemoryAccessTokens = field(default_factory=MemoryAccessTokens)

    def uow(self) -> MemoryUnitOfWork:
        return MemoryUnitOfWork(self.database)

    async def register(
        self,
        email: str = "ada@example.org",
        *,
        password: str = PASSWORD,
        display_name: str = "Ada",
        roles: frozenset[SelfAssignedRole] = frozenset(),
    ) -> SignedIn:
        return await registration.register(
            Register(email=email, password=password, display_name=display_name, roles=roles),
            origin=LAPTOP,
            uow=self.uow(),
            clock=self.clock,
            ids=self.ids,
            secrets=self.secrets,
            hasher=self.password_hasher,
            tokens=self.tokens,
        )

    async def login(self, email: str = "ada@example.org", *, password: str = PASSWORD) -> SignedIn:
        return await sign_in.login(
            Login(email=email, password=password),
            origin=LAPTOP,
            uow=self.uow(),
            clock=self.clock,
            ids=self.ids,
            secrets=self.secrets,
            hasher=self.password_hasher,
            tokens=self.tokens,
        )

    async def refresh(self, refresh_token: str) -> SignedIn:
        return await sign_in.refresh(
            Refresh(refresh_token=refresh_token),
            origin=LAPTOP,
            uow=self.uow(),
            clock=self.clock,
            ids=self.ids,
            secrets=self.secrets,
            tokens=self.tokens,
        )

    async def create_admin(self, email: str = "root@example.org") -> User:
        user_id = await registration.create_admin(
            CreateAdmin(email=email, password=PASSWORD, display_name="Root"),
            uow=self.uow(),
            clock=self.clock,
            ids=self.ids,
            hasher=self.password_hasher,
        )
        async with self.uow() as uow:
            return await uow.users.get(user_id)

    async def log_out(self, actor: Actor) -> None:
        await account.log_out(actor=actor, uow=self.uow(), clock=self.clock)

    def actor(self, signed_in: SignedIn) -> Actor:
        return self.tokens.verify(signed_in.access_token, now=self.clock.now())

    async def session(self, signed_in: SignedIn) -> Session:
        async with self.uow() as uow:
            found = await uow.sessions.by_refresh_token(digest(signed_in.refresh_token))
        assert found is not None
        return found[0]

    async def user(self, signed_in: SignedIn) -> User:
        async with self.uow() as uow:
            return await uow.users.get(signed_in.user.id)
