"""Videos and sounds by ffmpeg, run as a program of its own. Only this package starts it."""
