"""Whether the payment, payout and image providers answer, and take their keys."""

from entrypoints.cli.finding import PATIENCE_S, Finding, words_of
from entrypoints.providers import (
    fal_access,
    flowpay_access,
    openai_access,
    plaid_access,
    replicate_access,
    stripe_access,
)
from entrypoints.settings import Settings


async def stripe(settings: Settings) -> Finding:
    access = stripe_access(settings)
    if access.sandboxed:
        return _played("Stripe", "LIKENESS_STRIPE_SECRET_KEY")
    url = f"{access.api_base or 'https://api.stripe.com'}/v1/balance"
    headers = {"Authorization": f"Bearer {access.secret_key.reveal()}"}
    return await _asked("Stripe", url, headers, "LIKENESS_STRIPE_SECRET_KEY")


async def replicate(settings: Settings) -> Finding:
    access = replicate_access(settings)
    if access is None:
        return Finding("Replicate", True, "not used")
    if access.sandboxed:
        return _played("Replicate", "LIKENESS_REPLICATE_API_TOKEN")
    url = f"{access.api_base or 'https://api.replicate.com'}/v1/account"
    headers = {"Authorization": f"Bearer {access.api_token.reveal()}"}
    return await _asked("Replicate", url, headers, "LIKENESS_REPLICATE_API_TOKEN")


async def fal(settings: Settings) -> Finding:
    """fal has no free question that needs the key: its public keys must do."""
    access = fal_access(settings)
    if access is None:
        return Finding("fal", True, "not used")
    if access.sandboxed:
        return _played("fal", "LIKENESS_FAL_KEY")
    url = access.jwks_url or "https://rest.fal.ai/.well-known/jwks.json"
    return await _asked("fal", url, {}, "LIKENESS_FAL_KEY")


async def openai(settings: Settings) -> Finding:
    access = openai_access(settings)
    if access is None:
        return Finding("OpenAI", True, "not used: no speech, and no richer prompts")
    if access.sandboxed:
        return _played("OpenAI", "LIKENESS_OPENAI_API_KEY")
    url = f"{access.api_base or 'https://api.openai.com/v1'}/models"
    headers = {"Authorization": f"Bearer {access.api_key.reveal()}"}
    return await _asked("OpenAI", url, headers, "LIKENESS_OPENAI_API_KEY")


async def flowpay(settings: Settings) -> Finding:
    if not settings.bank_payouts:
        return Finding("FlowPay", True, "not used: LIKENESS_BANK_PAYOUTS is off")
    access = flowpay_access(settings)
    if access.sandboxed:
        return _played("FlowPay", "LIKENESS_FLOWPAY_API_KEY")
    url = f"{access.api_base}/v1/transfers?reference=doctor"
    headers = {"Authorization": f"Bearer {access.api_key.reveal()}"}
    return await _asked("FlowPay", url, headers, "LIKENESS_FLOWPAY_API_KEY")


async def plaid(settings: Settings) -> Finding:
    """Plaid has no question without a consequence: that it can be reached must do."""
    if not settings.bank_payouts:
        return Finding("Plaid", True, "not used: LIKENESS_BANK_PAYOUTS is off")
    access = plaid_access(settings)
    if access.sandboxed:
        return _played("Plaid", "LIKENESS_PLAID_SECRET")
    return await _reached("Plaid", access.api_base or "https://production.plaid.com")


async def _reached(name: str, url: str) -> Finding:
    import httpx

    try:
        async with httpx.AsyncClient(timeout=PATIENCE_S) as client:
            await client.get(url)
    except httpx.HTTPError as error:
        return Finding(name, False, f"{words_of(error)}; does this machine reach {url}?")
    return Finding(name, True, "can be reached")


def _played(name: str, variable: str) -> Finding:
    return Finding(name, True, f"played by the sandbox; set {variable} for the real one")


async def _asked(name: str, url: str, headers: dict[str, str], variable: str) -> Finding:
    import httpx

    try:
        async with httpx.AsyncClient(timeout=PATIENCE_S) as client:
            answer = await client.get(url, headers=headers)
    except httpx.HTTPError as error:
        return Finding(name, False, f"{words_of(error)}; does this machine reach {url}?")
    if answer.status_code in {401, 403}:
        return Finding(name, False, f"refuses the key; check {variable}")
    if answer.is_error:
        return Finding(name, False, f"answers {answer.status_code}; try again, or see its status")
    return Finding(name, True, "answers" if not headers else "answers and accepts the key")
