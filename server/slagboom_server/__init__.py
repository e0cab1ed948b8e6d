"""The server: scripts and decisions over HTTP, the durable consent log, the command line."""
