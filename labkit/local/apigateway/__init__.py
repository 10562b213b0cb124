"""API Gateway: its control planes, and the data planes of REST and HTTP APIs over deployed snapshots."""
