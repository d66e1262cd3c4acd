"""fal.ai: every model that we use there, by its queue. Nobody else imports fal_client."""
