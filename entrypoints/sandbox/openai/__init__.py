"""Plays whoever speaks OpenAI's protocol: richer prompts and speech."""
