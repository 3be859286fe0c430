"""Picture files: found, read, looked through, and kept decoded."""
