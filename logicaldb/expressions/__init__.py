"""What users write of a request: conditions, updates and key conditions.

Names and values always go as placeholders, and operands in parentheses.
"""

from logicaldb.expressions.attributes import Attr, Size, Update, attr
from logicaldb.expressions.conditions import Condition, check_condition
from logicaldb.expressions.expression import Expression
from logicaldb.expressions.keys import (
    AtLeast,
    AtMost,
    BeginsWith,
    Between,
    EqualTo,
    GreaterThan,
    KeyCondition,
    LessThan,
)
from logicaldb.expressions.placeholders import Context, Placeholders, check_length, check_operators, values_text

__all__ = [
    "AtLeast",
    "AtMost",
    "Attr",
    "BeginsWith",
    "Between",
    "Condition",
    "Context",
    "EqualTo",
    "Expression",
    "GreaterThan",
    "KeyCondition",
    "LessThan",
    "Placeholders",
    "Size",
    "Update",
    "attr",
    "check_condition",
    "check_length",
    "check_operators",
    "values_text",
]
