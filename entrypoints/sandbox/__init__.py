"""The outside world on localhost: payment and image providers, over their own wire protocols.

The real SDKs run against it unchanged, so the demo and the tests need no key and no network. It
imports nothing of the product; it knows only what the providers' documentation promises.
"""
