"""Make a `PatternSource` show another pattern: the dynamic parameter ``pattern`` says which."""

from snnlearn.declare import CustomUpdateModel

ShowPattern = CustomUpdateModel(
    "ShowPattern",
    params=[("pattern", "unsigned int"), ("numNeurons", "unsigned int")],
    var_refs=[("next", "unsigned int"), ("last", "unsigned int")],
    update_code="""
    next = pattern * numNeurons + id;
    last = next + 1;
    """,
)
