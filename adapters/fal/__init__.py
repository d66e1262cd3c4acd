"""fal.ai: LoRA training, and inference with LoRA and Kontext. Nobody else imports fal_client."""
