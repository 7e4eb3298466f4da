"""Jobs of the management server, on a server of their own that is killed and started again."""
