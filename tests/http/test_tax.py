"""Tax profiles and 1099 data, from a sale to a correction."""

from uuid import UUID

from tests.http import estate
from tests.http.exporting import files
from tests.http.shop import Shop, data_of, refusal
from tests.http.test_authorisation import TAX_PROFILE
from tests.http.test_orders import bought
from tests.http.test_statements import rows_of


async def forms(shop: Shop, form: str = "1099-k") -> dict[UUID, dict[str, str]]:
    year = shop.ports.clock.now().year
    (answer,) = await files(shop, kind=form, year=year)
    assert answer.headers["content-disposition"].startswith(f'attachment; filename="{form}-{year}')
    return {UUID(row["payee_id"]): row for row in rows_of(answer.content)}


async def file(shop: Shop) -> dict[str, int]:
    body = {"form": "1099-k", "year": shop.ports.clock.now().year}
    answer: dict[str, int] = data_of(
        await shop.post("/admin/tax-forms/filings", body, by=shop.admin), 201
    )
    return answer


async def test_a_profile_is_told_without_its_number(shop: Shop) -> None:
    put = await shop.send("PUT", "/creators/tax-profile", TAX_PROFILE, by=shop.other_creator)
    told = data_of(put)
    assert (told["has_tin"], told["tin_match"]) == (True, "unchecked")
    assert "tok_known" not in put.text
    refused = await shop.send(
        "PUT",
        "/creators/tax-profile",
        TAX_PROFILE | {"tin_reference": "123-45-6789"},
        by=shop.owner,
    )
    assert refusal(refused) == (400, "tax_number_refused")
    assert "123-45" not in refused.text


async def test_gross_of_all_payees_is_what_was_paid(shop: Shop) -> None:
    before = await forms(shop)
    await bought(shop)
    rows = await forms(shop)

    def gained(payee_id: UUID, column: str) -> int:
        return int(rows[payee_id][column]) - int(before[payee_id][column])

    assert gained(estate.CREATOR, "gross_cents") == 500
    assert gained(estate.STORE, "gross_cents") == 4500
    assert gained(estate.STORE, "fees_cents") > 0
    assert gained(estate.CREATOR, "count") == gained(estate.STORE, "count") == 1
    row = rows[estate.STORE]
    assert sum(int(v) for k, v in row.items() if k.startswith("month_")) == int(row["gross_cents"])
    assert (row["legal_name"], row["state"], row["due"]) == ("Ada Lovelace", "VT", "no")
    assert row["first_source"].startswith("sale:")
    assert await forms(shop, "1099-misc") == {}


async def test_what_changes_after_filing_is_a_correction(shop: Shop) -> None:
    # Vermont asks from 600 dollars, and each order is 45 of the store.
    for _ in range(13):
        await bought(shop, quantity=2)
    store = (await forms(shop))[estate.STORE]
    assert (store["due"], store["correction"], store["filed_at"]) == ("yes", "no", "")

    assert (await file(shop))["filed"] >= 1
    again = await file(shop)
    assert (again["filed"], again["corrected"]) == (0, 0)
    assert (await forms(shop))[estate.STORE]["correction"] == "no"

    await bought(shop)
    assert (await forms(shop))[estate.STORE]["correction"] == "yes"
    assert (await file(shop))["corrected"] >= 1
    assert (await forms(shop))[estate.STORE]["correction"] == "no"


async def test_an_administrator_says_whether_the_number_matches(shop: Shop) -> None:
    judged = await shop.send(
        "PUT",
        f"/admin/tax-profiles/{estate.CREATOR}",
        {"tin_match": "mismatched", "backup_withholding": True},
        by=shop.admin,
    )
    assert data_of(judged)["backup_withholding"] is True
    row = (await forms(shop))[estate.CREATOR]
    assert int(row["backup_withholding_cents"]) == int(row["gross_cents"]) * 24 // 100
