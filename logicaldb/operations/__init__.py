"""The flows: every decision about what to ask of DynamoDB and what its answers mean, without I/O."""
