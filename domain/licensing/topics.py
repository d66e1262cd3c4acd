"""Words that give a topic away, and words that no licence can permit.

Lists are dated: a list that changes is given another line and keeps the old ones, so that an old
question has its old answer for ever. They are short on purpose. They catch what is plain; what
needs judgement needs the creator's approval.
"""

from datetime import UTC, datetime

from domain.licensing.conditions import Topic

Words = tuple[str, ...]

_FIRST = datetime(2026, 1, 1, tzinfo=UTC)

_TOPICS: dict[Topic, tuple[tuple[datetime, Words], ...]] = {
    Topic.ALCOHOL: (
        (
            _FIRST,
            (
                *("alcohol", "beer", "bourbon", "brewery", "champagne", "cocktail", "gin"),
                *("liquor", "rum", "tequila", "vodka", "whiskey", "whisky", "wine"),
            ),
        ),
    ),
    Topic.DRUGS: (
        (
            _FIRST,
            (
                *("cannabis", "cocaine", "crack pipe", "drug dealer", "drugs", "ecstasy"),
                *("fentanyl", "heroin", "ketamine", "lsd", "marijuana", "meth", "weed joint"),
            ),
        ),
    ),
    Topic.FINANCE: (
        (
            _FIRST,
            (
                *("airdrop", "bitcoin", "crypto", "cryptocurrency", "ethereum", "forex", "ico"),
                *("investment advice", "memecoin", "nft", "payday loan", "token sale"),
            ),
        ),
    ),
    Topic.GAMBLING: (
        (
            _FIRST,
            (
                *("baccarat", "betting", "blackjack", "bookmaker", "casino", "gambling"),
                *("lottery", "poker", "roulette", "slot machine", "sportsbook"),
            ),
        ),
    ),
    Topic.HATE: (
        (
            _FIRST,
            (
                *("aryan", "ethnic cleansing", "hate speech", "kkk", "nazi", "nazis", "racist"),
                *("swastika", "white power", "white supremacy"),
            ),
        ),
    ),
    Topic.HEALTH: (
        (
            _FIRST,
            (
                *("botox", "cure for cancer", "diet pill", "diet pills", "miracle cure"),
                *("ozempic", "prescription", "supplement", "supplements", "vaccine", "weight loss"),
            ),
        ),
    ),
    Topic.NUDITY: (
        (
            _FIRST,
            (
                *("erotic", "explicit", "fetish", "lingerie", "naked", "nipple", "nipples"),
                *("nsfw", "nude", "nudity", "porn", "pornographic", "sex", "sexual", "sexy"),
                *("topless", "undressed", "xxx"),
            ),
        ),
    ),
    Topic.POLITICS: (
        (
            _FIRST,
            (
                *("ballot", "campaign rally", "candidate", "congress", "conservative party"),
                *("democrat", "democrats", "election", "labour party", "parliament", "political"),
                *("politician", "politics", "president", "prime minister", "propaganda"),
                *("referendum", "republican", "republicans", "senator", "vote"),
            ),
        ),
    ),
    Topic.RELIGION: (
        (
            _FIRST,
            (
                *("allah", "bible", "buddha", "church", "crucifix", "imam", "islam", "jesus"),
                *("koran", "mosque", "pope", "priest", "quran", "rabbi", "religion", "religious"),
                *("synagogue", "torah"),
            ),
        ),
    ),
    Topic.TOBACCO: (
        (
            _FIRST,
            (
                *("cigar", "cigarette", "cigarettes", "cigars", "nicotine", "smoking", "snus"),
                *("tobacco", "vape", "vaping"),
            ),
        ),
    ),
    Topic.VIOLENCE: (
        (
            _FIRST,
            (
                *("assault", "beheading", "blood", "bloody", "corpse", "execution", "gore"),
                *("gory", "kill", "killing", "massacre", "murder", "murdered", "torture"),
                *("violence", "violent", "war"),
            ),
        ),
    ),
    Topic.WEAPONS: (
        (
            _FIRST,
            (
                *("ak 47", "ammunition", "assault rifle", "bomb", "firearm", "firearms"),
                *("grenade", "gun", "guns", "handgun", "machine gun", "pistol", "rifle"),
                *("shotgun", "weapon", "weapons"),
            ),
        ),
    ),
}

_BANNED: tuple[tuple[datetime, Words], ...] = (
    (
        _FIRST,
        (
            *("bestiality", "child nude", "child nudity", "child porn", "child pornography"),
            *("csam", "deepfake porn", "how to make a bomb", "jailbait", "lolicon", "naked child"),
            *("naked minor", "non consensual", "nonconsensual", "nude child", "nude minor"),
            *("nudify", "preteen nude", "rape", "raped", "rape porn", "revenge porn", "shotacon"),
            *("snuff film", "underage nude", "underage sex", "zoophilia"),
        ),
    ),
)

_CHANGES = tuple(
    sorted({since for history in (*_TOPICS.values(), _BANNED) for since, _ in history})
)


def edition(at: datetime) -> datetime:
    """The lists that hold at an instant, by the day of their latest change."""
    if at >= _CHANGES[-1]:
        return _CHANGES[-1]
    return max((since for since in _CHANGES if since <= at), default=_FIRST)


def words_of(topic: Topic, at: datetime) -> Words:
    """What gives the topic away in a text."""
    return _in_force(_TOPICS[topic], at)


def banned_words(at: datetime) -> Words:
    """What the platform never has, whatever a licence says."""
    return _in_force(_BANNED, at)


def _in_force(history: tuple[tuple[datetime, Words], ...], at: datetime) -> Words:
    return [words for since, words in history if since <= max(at, _FIRST)][-1]
