"""Stripe, as far as a marketplace with separate charges and transfers meets it.

API 2026-10-28: accounts and onboarding, Checkout in payment mode, charges, refunds, transfers and
their reversals, balances, disputes, events and signed webhooks, with idempotency keys.
"""
