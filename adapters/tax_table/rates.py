"""Standard rates of value-added and sales tax, in thousandths of a percent (19000 is 19 %).

As of 1 January 2026, from the European Commission's list of VAT rates, the tax authorities of the
other countries, and, for the United States, each state's own general rate without what counties
and cities add. Where that is not exact enough, use a tax provider.
"""

from collections.abc import Mapping

AS_OF = "2026-01-01"

STANDARD_RATES: Mapping[str, int] = {
    "AT": 20000, "BE": 21000, "BG": 20000, "HR": 25000, "CY": 19000, "CZ": 21000, "DK": 25000,
    "EE": 24000, "FI": 25500, "FR": 20000, "DE": 19000, "GR": 24000, "HU": 27000, "IE": 23000,
    "IT": 22000, "LV": 21000, "LT": 21000, "LU": 17000, "MT": 18000, "NL": 21000, "PL": 23000,
    "PT": 23000, "RO": 21000, "SK": 23000, "SI": 22000, "ES": 21000, "SE": 25000,
    "GB": 20000, "CH": 8100, "NO": 25000, "IS": 24000,
    "AU": 10000, "NZ": 15000, "JP": 10000, "KR": 10000, "SG": 9000,
    "CA-AB": 5000, "CA-BC": 12000, "CA-MB": 12000, "CA-NB": 15000, "CA-NL": 15000,
    "CA-NS": 14000, "CA-NT": 5000, "CA-NU": 5000, "CA-ON": 13000, "CA-PE": 15000,
    "CA-QC": 14975, "CA-SK": 11000, "CA-YT": 5000,
    "US-AL": 4000, "US-AZ": 5600, "US-AR": 6500, "US-CA": 7250, "US-CO": 2900, "US-CT": 6350,
    "US-DC": 6000, "US-FL": 6000, "US-GA": 4000, "US-HI": 4000, "US-ID": 6000, "US-IL": 6250,
    "US-IN": 7000, "US-IA": 6000, "US-KS": 6500, "US-KY": 6000, "US-LA": 5000, "US-ME": 5500,
    "US-MD": 6000, "US-MA": 6250, "US-MI": 6000, "US-MN": 6875, "US-MS": 7000, "US-MO": 4225,
    "US-NE": 5500, "US-NV": 6850, "US-NJ": 6625, "US-NM": 4875, "US-NY": 4000, "US-NC": 4750,
    "US-ND": 5000, "US-OH": 5750, "US-OK": 4500, "US-PA": 6000, "US-RI": 7000, "US-SC": 6000,
    "US-SD": 4200, "US-TN": 7000, "US-TX": 6250, "US-UT": 4850, "US-VT": 6000, "US-VA": 4300,
    "US-WA": 6500, "US-WV": 6000, "US-WI": 5000, "US-WY": 4000,
}  # fmt: skip
