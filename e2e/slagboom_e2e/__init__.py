"""The browser checks: what a visitor's browser and network really show."""
