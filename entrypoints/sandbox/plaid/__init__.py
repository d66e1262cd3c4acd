"""Plaid as the sandbox plays it: a link that opens, and tokens for who came back from it."""
