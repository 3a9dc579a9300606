"""Between Python values and DynamoDB's wire form: compiled once per type, exact in both directions."""
