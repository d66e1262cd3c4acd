"""Speech and richer prompts by OpenAI, or by whoever speaks like it. Nobody else imports openai."""
