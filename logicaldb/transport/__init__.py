"""How requests reach DynamoDB: the only part of the package that knows botocore."""
