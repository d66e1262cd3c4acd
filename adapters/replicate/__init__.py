"""Replicate: images from text with LoRA weights. Only this package imports replicate."""
