"""The story of the studio: a creator trains a likeness and licenses it, a fan makes things of it.

It knows the API, the live channel and the sandbox's pages and bills, nothing else. What it finds
is held against what it should be: anything else stops it.
"""

from collections import Counter
from collections.abc import Callable
from uuid import uuid4

import httpx

from entrypoints.cli.demo.client import Person, address_for, browser, click
from entrypoints.cli.demo.pictures import photograph, picture, portrait
from entrypoints.cli.demo.story import GOOD_CARD, SHOP, Tell
from entrypoints.cli.demo.studio_credentials import check_credentials
from entrypoints.cli.demo.studio_making import Maker, Show, account_of
from entrypoints.cli.demo.studio_outcome import StudioOutcome, expect
from entrypoints.cli.demo.uploading import upload
from entrypoints.sandbox.clips import moving

EVERYTHING = ["train", "image", "video", "talking_avatar", "voice", "model_3d"]
SPEECH = {"text": "Good morning, and thank you for coming.", "voice": "alloy"}
TEMPLATE = "at {{place}} in {{light}} light"


class StudioStory:
    """`make_admin` opens an account that nobody can register over HTTP, as `likeness user
    create-admin` does."""

    def __init__(
        self,
        base_url: str,
        sandbox_url: str,
        *,
        tell: Tell,
        show: Show,
        make_admin: Callable[[str], None],
    ) -> None:
        self._http = httpx.Client(base_url=base_url, timeout=60, trust_env=False)
        self._browser = browser()
        self._sandbox_url = sandbox_url
        self._tell = tell
        self._make_admin = make_admin
        self.outcome = StudioOutcome()
        self._maker = Maker(self.outcome, tell=tell, show=show)

    def close(self) -> None:
        self._http.close()
        self._browser.close()

    def play(self) -> StudioOutcome:
        """Raises StoryStopped, Refused."""
        before = self._bills()
        creator, creator_id = self._license()
        fan = self._fan()
        character = self._character(fan, creator_id)
        image, clean_url = self._image(fan, creator_id, character)
        self._videos(fan, character, creator_id, image)
        self._maker.make(
            fan,
            "the talking avatar",
            {
                "kind": "talking_avatar",
                "creator_id": creator_id,
                "source_asset_id": image,
                "speech": SPEECH,
            },
            ["speech_synthesis", "video_synthesis", "post_processing"],
        )
        self._maker.make(
            fan,
            "the 3D model",
            {"kind": "model_3d", "creator_id": creator_id, "source_asset_id": image},
            ["model_3d", "post_processing"],
        )
        second = self._publish_and_use(fan, creator_id)
        self._verify(clean_url, creator_id)
        for person in (creator, fan, second):
            self._settle_accounts(person)
        self._count_calls(before)
        return self.outcome

    def _license(self) -> tuple[Person, str]:
        """Consent, terms that allow to train, a training set, a model; then the licence for all."""
        person = Person(self._http, "Creator", "creator")
        creator_id = person.post(
            "/creators",
            {"slug": f"studio-{uuid4().hex[:8]}", "display_name": "Creator", "bio": ""},
        )["id"]
        person.post(
            f"/creators/{creator_id}/consents",
            {
                "text_version": "2026-11",
                "uses": EVERYTHING,
                "signer_name": "Creator",
                "adult": True,
            },
        )
        terms = f"/creators/{creator_id}/licence-terms"
        person.post(terms, {"royalty_bps": 1000, "capabilities": ["train"]})
        self._tell("the creator consents, and licenses training only, for now")
        assets, parts = [], 0
        for number, content in enumerate([photograph(1), *map(portrait, range(3))]):
            asset_id, sent = upload(
                person,
                content,
                f"{number}.png",
                content_type="image/png",
                purpose="training_image",
                browser=self._browser,
            )
            assets.append(asset_id)
            parts += sent
        self._tell(f"a training set is uploaded: {len(assets)} files in {parts} parts")
        model = {"trigger_word": "demo1person", "asset_ids": assets, "steps": 500}
        asked = person.post(f"/creators/{creator_id}/models", model)
        self._maker.hear(person, "the likeness model", asked["id"], ["training", "storing"])
        trained = person.get(f"/creators/{creator_id}/models/{asked['id']}")
        expect("the model", "ready", trained["status"])
        licence = person.post(
            terms,
            {
                "royalty_bps": 1000,
                "capabilities": EVERYTHING,
                "subject_rights": ["face", "body", "style", "voice"],
            },
        )
        self.outcome.licence = {"version": licence["version"], "hash": licence["hash"]}
        self._tell(f"licence v{licence['version']} is published: images, videos, voice, 3D")
        return person, str(creator_id)

    def _fan(self) -> Person:
        """Credits by the pack, and a plan whose copies are clean."""
        fan = Person(self._http, "Fan", "fan")
        pages = {"success_url": f"{SHOP}/thanks", "cancel_url": f"{SHOP}/plans"}
        pack = fan.post("/credits/purchases", {"pack": "small", **pages})
        click(self._browser, pack["url"] + "/pay", {"card": GOOD_CARD}, expected=303)
        credits = fan.wait("/credits", lambda seen: seen["bought"] > 0, what="the purchase")
        expect("bought credits", 500, credits["bought"])
        plan = fan.post("/billing/checkout", {"plan": "pro", **pages})
        click(self._browser, plan["url"] + "/pay", {"card": GOOD_CARD}, expected=303)
        fan.wait(
            "/billing/subscription", lambda seen: seen["plan"] == "pro", what="the subscription"
        )
        credits = fan.get("/credits")
        self._tell(
            f"a fan buys {credits['bought']} credits and the plan pro:"
            f" {credits['daily']} a day, clean copies"
        )
        return fan

    def _character(self, fan: Person, creator_id: str) -> str:
        character = fan.post(
            "/characters",
            {
                "name": "The captain",
                "age": 41,
                "style": "oil on canvas",
                "creator_id": creator_id,
            },
        )
        self._tell("a character has the creator's likeness: The captain, 41, oil on canvas")
        return str(character["id"])

    def _image(self, fan: Person, creator_id: str, character: str) -> tuple[str, str]:
        """The asset, and the link under which the live channel delivered it."""
        said = {"creator_id": creator_id, "prompt": "at a harbour at dawn"}
        richer = fan.post("/prompts/enhance", said)["enhanced"]
        self._tell(f"a language model makes the prompt richer: {richer[:60]}…")
        result = self._maker.make(
            fan,
            "the character's image",
            {"kind": "image", "character_id": character, "prompt": richer},
            ["image_generation", "post_processing"],
        )
        return result["asset_id"], result["url"]

    def _videos(self, fan: Person, character: str, creator_id: str, image: str) -> None:
        """From words, with a preset of the platform; and a still that moves as a film does."""
        presets = fan.get("/presets", limit=100)
        preset = next(one for one in presets if one["name"] == "Energetic")
        self._maker.make(
            fan,
            "the video",
            {
                "kind": "video",
                "character_id": character,
                "preset_id": preset["id"],
                "prompt": "on a pier, looking out to sea",
            },
            ["image_generation", "video_synthesis", "post_processing"],
        )
        driving, _ = upload(
            fan,
            moving(picture(5), seed=1, motion=127, fps=14),
            "nod.mp4",
            content_type="video/mp4",
            purpose="driving_video",
            browser=self._browser,
        )
        own = fan.post("/presets", {"name": "Nods", "driving_asset_id": driving})
        expect("whether the preset moves like its film", True, own["motion_transfer"])
        self._maker.make(
            fan,
            "the moving portrait",
            {
                "kind": "video",
                "creator_id": creator_id,
                "source_asset_id": image,
                "preset_id": own["id"],
                "prompt": "a nod",
            },
            ["motion_transfer", "post_processing"],
        )

    def _publish_and_use(self, fan: Person, creator_id: str) -> Person:
        """A template goes through the queue of those who look at it, and another fan uses it."""
        template = fan.post(
            "/templates",
            {
                "name": "Harbour light",
                "category": "portrait",
                "prompt": TEMPLATE,
                "variables": [{"name": "place"}, {"name": "light", "default": "soft"}],
            },
        )["id"]
        asked = fan.post(f"/templates/{template}/publish")
        expect("a template that was just handed in", "in_review", asked["state"])
        email = address_for("Admin")
        self._make_admin(email)
        admin = Person(self._http, "Admin", email=email)
        waiting = admin.get("/admin/publications", limit=100)
        expect("whether it waits for a decision", True, template in [one["id"] for one in waiting])
        admin.post(f"/admin/publications/{template}/decide", {"approved": True})
        self._tell("a template is handed in; an administrator looks at it, and publishes it")
        other = Person(self._http, "Second fan", "fan")
        found = other.get("/community", kind="template", sort="new", limit=100)
        expect("whether others find it", True, template in [one["id"] for one in found])
        other.put(f"/community/{template}/favourite")
        values = {"place": "a lighthouse"}
        filled = other.post(f"/templates/{template}/use", {"values": values})["prompt"]
        expect("the template, filled in", "at a lighthouse in soft light", filled)
        self._maker.make(
            other,
            "the second fan's image",
            {"creator_id": creator_id, "template_id": template, "template_values": values},
            ["image_generation", "post_processing"],
        )
        counted = fan.get(f"/templates/{template}")["publicity"]
        expect("its uses and likes", (1, 1), (counted["uses"], counted["favourites"]))
        self._tell(f"another fan likes it and uses it: {filled}")
        return other

    def _verify(self, clean_url: str, creator_id: str) -> None:
        content = self._browser.get(clean_url).content
        said = self.outcome.credentials = check_credentials(
            content, creator_id, licence=self.outcome.licence, http=self._http
        )
        self._tell(
            f"the delivered image is {said['verdict']}: made by {', '.join(said['models'])}"
            f" under licence v{said['licence']['version']}, {said['licence']['hash'][:12]}…"
        )
        self._tell(
            f"with one bit flipped it is {said['flipped']};"
            f" saved anew, its credentials: {said['saved_anew']}"
        )

    def _settle_accounts(self, person: Person) -> None:
        """The ledger of a wallet says what is in it, and what each job has cost."""
        account = account_of(person)
        expect(f"the balance of {person.name}", account.sum, account.credits["balance"])
        expect(f"what is held of {person.name}", 0, account.credits["held"])
        mine = [made for made in self.outcome.made if made.owner == person.name]
        for made in mine:
            expect(f"what {made.what} cost", made.credits, account.spent_on(made.job_id))
        expect(
            f"what {person.name} spent in all", sum(made.credits for made in mine), account.spent
        )
        self.outcome.accounts.append(account)

    def _bills(self) -> Counter[tuple[str, str]]:
        """How often each model of each provider was called, and charged for it."""
        answer = self._browser.get(f"{self._sandbox_url}/control/billed")
        expect("the sandbox's answer about its bills", 200, answer.status_code)
        return Counter((one["provider"], one["model"]) for one in answer.json() if one["units"])

    def _count_calls(self, before: Counter[tuple[str, str]]) -> None:
        self.outcome.calls = dict(self._bills() - before)
        expect(
            "the calls that providers charge for",
            self.outcome.expected_calls,
            sum(self.outcome.calls.values()),
        )
