"""OpenAPI files: read within bounds, whatever their version and their format."""
