"""Clients of the S3 endpoint that are programs of their own."""
