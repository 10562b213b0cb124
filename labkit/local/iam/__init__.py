"""IAM's policy language: documents, what they are asked, and what they say; nothing here knows the engine."""
