"""Replicate: every model that we use there, as predictions. Only this package imports replicate."""
