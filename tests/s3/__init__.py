"""The S3 data plane as applications see it: boto3 against a running `storekeeper server`, over TLS.

What lives here: what an access key of each permission level may do, and that objects, versions, locks, uploads and
listings behave as in S3. What must not: the management API's own rules, and the operator.
"""
