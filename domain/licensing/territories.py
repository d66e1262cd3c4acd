"""Countries of ISO 3166-1, and groups of them as they were at an instant.

A licence that says `EU` means the Union as it is when somebody asks. A group that changes gets
another line with its date and keeps the old ones: an old question has its old answer for ever.
"""

from datetime import UTC, datetime
from functools import lru_cache

_CODES = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR "
    "BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ "
    "EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW "
    "GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY "
    "KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV "
    "MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY "
    "QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG "
    "TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM "
    "ZW"
)
COUNTRIES = frozenset(_CODES.split())

_EU27 = (
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"  # 27 of them
)
_ALWAYS = datetime(1, 1, 1, tzinfo=UTC)
_LEFT = datetime(2020, 1, 31, 23, tzinfo=UTC)
_EAST_TIMOR = datetime(2025, 10, 26, tzinfo=UTC)
_ASEAN10 = "BN ID KH LA MM MY PH SG TH VN"

# Each group: from when on it has had which members, oldest first.
_GROUPS: dict[str, tuple[tuple[datetime, str], ...]] = {
    "EU": ((_ALWAYS, f"{_EU27} GB"), (_LEFT, _EU27)),
    "EEA": ((_ALWAYS, f"{_EU27} GB IS LI NO"), (_LEFT, f"{_EU27} IS LI NO")),
    "EFTA": ((_ALWAYS, "CH IS LI NO"),),
    "DACH": ((_ALWAYS, "AT CH DE"),),
    "BENELUX": ((_ALWAYS, "BE LU NL"),),
    "NORDICS": ((_ALWAYS, "AX DK FI FO GL IS NO SE SJ"),),
    "BALTICS": ((_ALWAYS, "EE LT LV"),),
    "USMCA": ((_ALWAYS, "CA MX US"),),
    "GCC": ((_ALWAYS, "AE BH KW OM QA SA"),),
    "ANZ": ((_ALWAYS, "AU NZ"),),
    "ASEAN": ((_ALWAYS, _ASEAN10), (_EAST_TIMOR, f"{_ASEAN10} TL")),
}
GROUPS = frozenset(_GROUPS)
CODES = COUNTRIES | GROUPS
"""What terms may name."""

EDITIONS = tuple(sorted({since for history in _GROUPS.values() for since, _ in history}))
"""The instants since when some group has been another one."""


def permitted(included: frozenset[str], excluded: frozenset[str], at: datetime) -> frozenset[str]:
    """The countries that terms permit at an instant: nothing included is the world, and what is
    excluded is excluded whatever includes it."""
    edition = max((since for since in EDITIONS if since <= at), default=_ALWAYS)
    return _permitted(included, excluded, edition)


@lru_cache(maxsize=1024)
def _permitted(
    included: frozenset[str], excluded: frozenset[str], edition: datetime
) -> frozenset[str]:
    world = _expanded(included, edition) if included else COUNTRIES
    return world - _expanded(excluded, edition)


def _expanded(codes: frozenset[str], edition: datetime) -> frozenset[str]:
    countries: set[str] = set()
    for code in codes:
        if code not in _GROUPS:
            countries.add(code)
            continue
        members = [members for since, members in _GROUPS[code] if since <= edition]
        countries.update(members[-1].split())
    return frozenset(countries)
