"""The policy language of IAM, where the engine's is kinder than AWS: documents, variables, leading keys."""
