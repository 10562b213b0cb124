"""The control planes of API Gateway: what an API's author asks, in front of the engine's records."""
