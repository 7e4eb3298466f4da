//! The S3 data plane: s3s speaks the protocol; the operations below are ours, over the store's rows and blobs.
