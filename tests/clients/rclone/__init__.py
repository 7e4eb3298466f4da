"""The rclone that the tests use."""
