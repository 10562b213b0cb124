"""The control plane of REST APIs (``apigateway``)."""
