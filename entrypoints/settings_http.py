"""The part of the settings that the HTTP door asks for."""

from entrypoints.http.settings import HttpSettings
from entrypoints.settings import Settings


def http_settings(settings: Settings) -> HttpSettings:
    """`port` and `base_url` must be settled already."""
    token = settings.metrics_token
    return HttpSettings(
        production=settings.is_production,
        host=settings.host,
        port=settings.port,
        workers=settings.api_processes,
        public_url=settings.base_url,
        cors_origins=settings.cors_origins,
        trusted_proxies=settings.trusted_proxies,
        rate_limits=settings.rate_limits,
        metrics_token=token.reveal() if token else None,
    )
