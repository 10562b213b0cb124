"""The control plane of HTTP APIs (``apigatewayv2``)."""
