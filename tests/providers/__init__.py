"""One conformance suite for all providers: the same cases, through the same custom resources, on real servers."""
