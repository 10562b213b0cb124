"""The data plane of HTTP APIs (API Gateway v2): the gates that an HTTP API has, over a deployed snapshot.

A gate is a small function from a call to an outcome, as for REST APIs; signatures, tokens, functions and buckets are
looked at by the same code. Facts: gateway 13. What isn't known of AWS is a cautious guess, and the
ledger (``http_api.toml``) labels it so.
"""
