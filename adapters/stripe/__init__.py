"""Stripe: hosted checkout, refunds, transfers to payees, their accounts, and webhooks.

One platform account charges; connected accounts receive transfers (separate charges and transfers).
"""
