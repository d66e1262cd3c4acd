"""The payout provider over HTTP: transfers, bank accounts, webhooks."""
