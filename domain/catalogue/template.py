"""Product templates: what can be made, and what making one costs."""

from dataclasses import dataclass

from domain.licensing.terms import ProductType
from domain.shared.errors import RuleRefused
from domain.shared.money import Currency


class CurrencyNotOffered(RuleRefused):
    """There is no production price for this product type in this currency."""

    code = "currency_not_offered"


@dataclass(frozen=True, slots=True)
class ProductTemplate:
    """`production_cost_cents` is per piece and currency; what is not listed is not offered."""

    product_type: ProductType
    title: str
    description: str
    print_width_px: int
    print_height_px: int
    sizes: tuple[str, ...]
    colours: tuple[str, ...]
    needs_shipping: bool
    production_cost_cents: dict[Currency, int]

    def cost_cents(self, currency: Currency) -> int:
        try:
            return self.production_cost_cents[currency]
        except KeyError:
            raise CurrencyNotOffered(
                f"{self.title} is not offered in {currency.upper()}.",
                currency=currency,
                offered=sorted(self.production_cost_cents),
            ) from None


def _costs(usd: int, eur: int, gbp: int, jpy: int, kwd: int) -> dict[Currency, int]:
    prices = {"usd": usd, "eur": eur, "gbp": gbp, "jpy": jpy, "kwd": kwd}
    return {Currency(code): cents for code, cents in prices.items()}


TEMPLATES: dict[ProductType, ProductTemplate] = {
    template.product_type: template
    for template in (
        ProductTemplate(
            ProductType.POSTCARD, "Postcard", "A6, 350 g card, printed on one side.",
            1795, 1287, ("A6",), ("white",), True, _costs(120, 110, 95, 180, 370),
        ),
        ProductTemplate(
            ProductType.SHIRT, "T-shirt", "Cotton, printed on the front.",
            3600, 4800, ("S", "M", "L", "XL", "XXL"), ("white", "black"), True,
            _costs(950, 890, 760, 1430, 2920),
        ),
        ProductTemplate(
            ProductType.FIGURINE, "Figurine", "Full-colour 3D print, 12 cm.",
            2048, 2048, ("12 cm",), ("full colour",), True, _costs(2400, 2250, 1950, 3600, 7380),
        ),
        ProductTemplate(
            ProductType.PRINT, "Art print", "Matte paper, 30 × 40 cm.",
            3543, 4724, ("30 × 40 cm",), ("matte",), True, _costs(600, 560, 480, 900, 1850),
        ),
        ProductTemplate(
            ProductType.DIGITAL, "Digital image", "The original file, without watermark.",
            1024, 1024, (), (), False, _costs(0, 0, 0, 0, 0),
        ),
    )
}  # fmt: skip
