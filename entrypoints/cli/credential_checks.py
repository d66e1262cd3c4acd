"""Whether what we deliver can be signed, and for how long."""

import time

from application.ports.credentials import CertificateFacts
from entrypoints.cli.finding import Finding
from entrypoints.settings import Settings

DAY_S = 86_400
WARN_DAYS = 30
_NAME = "credentials"


def certificate(settings: Settings) -> Finding:
    """Makes the certificate of development when it is not there yet, as the first file would."""
    from entrypoints.bootstrap_credentials import certificate_of

    try:
        facts = certificate_of(settings)
    except (OSError, ValueError) as error:
        return Finding(_NAME, False, f"{error}; check LIKENESS_CREDENTIALS_CERTIFICATE and its key")
    return judge_certificate(facts, now=time.time())


def judge_certificate(facts: CertificateFacts, *, now: float) -> Finding:
    days = int((facts.not_after - now) // DAY_S)
    advice = (
        "run `likeness credentials renew`, then start the workers again"
        if facts.development
        else "put the new one in LIKENESS_CREDENTIALS_CERTIFICATE and start the workers again"
    )
    if facts.not_after <= now:
        return Finding(_NAME, False, f"the certificate has expired: nothing is signed; {advice}")
    if days < WARN_DAYS:
        return Finding(_NAME, False, f"the certificate expires in {days} days; {advice}")
    kind = "a certificate of our own, whom nobody else trusts" if facts.development else "signs"
    return Finding(_NAME, True, f"{kind}; expires in {days} days")
