"""The main job, played over HTTP against a stack whose providers are the sandbox."""
