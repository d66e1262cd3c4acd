"""Bank accounts proved by signing in to the bank, over Plaid."""
