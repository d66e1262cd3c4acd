"""What may be said and shown here: judged by lists and rules that are data, decided by people."""
