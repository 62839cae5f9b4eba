"""The dialers' APIs: one folder a platform, each behind the interface in `base`."""
