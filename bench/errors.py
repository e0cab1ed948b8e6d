"""What ends a bench."""


class BenchError(Exception):
    """The bench cannot run here; one line on what is missing and what to do."""
