"""Plays fal: the queue protocol, four image apps, signed webhooks."""
