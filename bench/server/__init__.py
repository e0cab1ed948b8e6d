"""What keeping proof costs the server: decisions a second, reading, checking, disk, kills."""
