"""What the API server itself refuses: the policies in deploy/policies and the roles in deploy/roles, on a real one."""
