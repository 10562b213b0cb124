"""Amazon Cognito as AWS answers it, in front of the engine: sign-in, tokens, user pools, identity pools."""
