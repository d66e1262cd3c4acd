"""Papers by ReportLab."""
