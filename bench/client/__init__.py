"""What a banner costs the visitor: bytes, time, main thread, beside six open-source peers."""
