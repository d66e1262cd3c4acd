"""Plays Replicate: predictions, trainings, signed webhooks."""
